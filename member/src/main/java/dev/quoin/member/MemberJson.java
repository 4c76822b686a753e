package dev.quoin.member;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import com.google.gson.stream.MalformedJsonException;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * The JSON form of a member that etcd puts into a configuration change (api/membership/member.go): {@code id} is an
 * unsigned number, empty fields but {@code peerURLs} are left out, unknown keys are ignored.
 */
final class MemberJson {
    private MemberJson() {}

    static Bytes write(MemberInfo member) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            // As Go's encoder does.
            json.setHtmlSafe(true);
            json.beginObject();
            json.name("id").jsonValue(Long.toUnsignedString(member.id()));
            writePeerUrls(json, member.peerUrls());
            if (member.isLearner()) {
                json.name("isLearner").value(true);
            }
            if (!member.name().isEmpty()) {
                json.name("name").value(member.name());
            }
            if (!member.clientUrls().isEmpty()) {
                writeUrls(json.name("clientURLs"), member.clientUrls());
            }
            json.endObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a string refused to be written to", e);
        }
        return Bytes.utf8(text.toString());
    }

    /** That a learner gets a vote: all that is said of it is its id. */
    static Bytes writePromotion(long id) {
        return Bytes.utf8("{\"id\":" + Long.toUnsignedString(id) + ",\"peerURLs\":null,\"isPromote\":true}");
    }

    /** Go's encoder has null for a list that is not there. */
    private static void writePeerUrls(JsonWriter json, List<String> urls) throws IOException {
        json.name("peerURLs");
        if (urls.isEmpty()) {
            json.jsonValue("null");
        } else {
            writeUrls(json, urls);
        }
    }

    private static void writeUrls(JsonWriter json, List<String> urls) throws IOException {
        json.beginArray();
        for (String url : urls) {
            json.value(url);
        }
        json.endArray();
    }

    /** Reads what stands in a committed entry: that it does not parse means that the log is not what it should be. */
    static MemberInfo read(Bytes text) {
        return committed(text).member;
    }

    /** Whether a change that adds a node is the promotion of a learner, which says so beside the member's fields. */
    static boolean isPromote(Bytes text) {
        return committed(text).isPromote;
    }

    private static Parsed committed(Bytes text) {
        try {
            return parsed(text);
        } catch (IllegalArgumentException e) {
            throw Invariant.violation("the member in a configuration change does not parse: %s", e.getMessage());
        }
    }

    /**
     * Reads what came from elsewhere.
     *
     * @throws IllegalArgumentException if it does not parse
     */
    static MemberInfo parse(Bytes text) {
        return parsed(text).member;
    }

    private record Parsed(MemberInfo member, boolean isPromote) {}

    /**
     * Reads a list of them, as members tell it to each other.
     *
     * @throws IOException if it is no such list
     */
    static List<MemberInfo> parseList(String text) throws IOException {
        List<MemberInfo> members = new ArrayList<>();
        try (JsonReader json = new JsonReader(new StringReader(text))) {
            if (json.peek() == JsonToken.NULL) {
                return members;
            }
            json.beginArray();
            while (json.hasNext()) {
                members.add(next(json).member);
            }
            json.endArray();
            if (json.peek() != JsonToken.END_DOCUMENT) {
                throw new MalformedJsonException("something follows the list of members");
            }
        } catch (IllegalStateException | NumberFormatException e) {
            throw new IOException("not a list of members: " + e.getMessage(), e);
        }
        return members;
    }

    private static Parsed parsed(Bytes text) {
        try (JsonReader json = new JsonReader(new StringReader(text.toUtf8()))) {
            return next(json);
        } catch (IOException | IllegalStateException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static Parsed next(JsonReader json) throws IOException {
        long id = 0;
        String name = "";
        List<String> peerUrls = List.of();
        List<String> clientUrls = List.of();
        boolean isLearner = false;
        boolean isPromote = false;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "id" -> id = Long.parseUnsignedLong(json.nextString());
                case "name" -> name = json.nextString();
                case "peerURLs" -> peerUrls = readUrls(json);
                case "clientURLs" -> clientUrls = readUrls(json);
                case "isLearner" -> isLearner = json.nextBoolean();
                case "isPromote" -> isPromote = json.nextBoolean();
                default -> json.skipValue();
            }
        }
        json.endObject();
        return new Parsed(new MemberInfo(id, name, peerUrls, clientUrls, isLearner), isPromote);
    }

    /** The downgrade that etcd keeps as {@code {"target-version":"3.6.0","enabled":true}}. */
    static Bytes writeDowngrade(String target) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject().name("target-version").value(target).name("enabled").value(true).endObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a string refused to be written to", e);
        }
        return Bytes.utf8(text.toString());
    }

    static String readDowngradeTarget(Bytes text) {
        try {
            return parseDowngradeTarget(text);
        } catch (IllegalArgumentException e) {
            throw Invariant.violation("a downgrade does not parse: %s", e.getMessage());
        }
    }

    /**
     * Reads one that came from elsewhere.
     *
     * @throws IllegalArgumentException if it does not parse
     */
    static String parseDowngradeTarget(Bytes text) {
        String target = "";
        boolean isEnabled = false;
        try (JsonReader json = new JsonReader(new StringReader(text.toUtf8()))) {
            json.beginObject();
            while (json.hasNext()) {
                switch (json.nextName()) {
                    case "target-version" -> target = json.nextString();
                    case "enabled" -> isEnabled = json.nextBoolean();
                    default -> json.skipValue();
                }
            }
            json.endObject();
        } catch (IOException | IllegalStateException e) {
            throw new IllegalArgumentException(e);
        }
        return isEnabled ? target : "";
    }

    private static List<String> readUrls(JsonReader json) throws IOException {
        List<String> urls = new ArrayList<>();
        if (json.peek() == JsonToken.NULL) {
            json.nextNull();
            return urls;
        }
        json.beginArray();
        while (json.hasNext()) {
            urls.add(json.nextString());
        }
        json.endArray();
        return urls;
    }
}
