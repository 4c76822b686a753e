package dev.quoin.member;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * Etcd's first store, as members up to 3.6 still want it beside a state: who belongs to the cluster, and nothing else, as JSON
 * (api/v2store/store.go, api/membership/storev2.go). They start on no snapshot without it; 3.7 does not read it.
 */
final class OldStore {
    /** Of something that does not end by itself. */
    private static final String NEVER = "0001-01-01T00:00:00Z";
    private static final int VERSION = 2;

    private OldStore() {}

    /** A directory, or with a value a file. */
    private static final class Node {
        private final SortedMap<String, Node> children = new TreeMap<>();
        private @Nullable String value;

        Node directory(String name) {
            return children.computeIfAbsent(name, _ -> new Node());
        }

        void file(String name, String contents) {
            directory(name).value = contents;
        }

        void write(JsonWriter json, String path) throws IOException {
            json.beginObject();
            json.name("Path").value(path.isEmpty() ? "/" : path);
            json.name("CreatedIndex").value(0).name("ModifiedIndex").value(0).name("ExpireTime").value(NEVER);
            json.name("Value").value(value == null ? "" : value).name("Children");
            if (value == null) {
                json.beginObject();
                for (var child : children.entrySet()) {
                    json.name(child.getKey());
                    child.getValue().write(json, path + "/" + child.getKey());
                }
                json.endObject();
            } else {
                json.jsonValue("null");
            }
            json.endObject();
        }
    }

    /** Of a cluster. */
    static Bytes json(Membership membership) {
        Node root = new Node();
        Node cluster = root.directory("0");
        root.directory("1");
        for (MemberInfo member : membership.members()) {
            Node one = cluster.directory("members").directory(Long.toHexString(member.id()));
            one.file("raftAttributes", text(json -> writeRaftAttributes(json, member)));
            if (!member.clientUrls().isEmpty()) {
                one.file("attributes", text(json -> writeAttributes(json, member)));
            }
        }
        for (long id : membership.removed()) {
            cluster.directory("removed_members").file(Long.toHexString(id), "");
        }
        if (!membership.clusterVersion().isEmpty()) {
            cluster.file("version", membership.clusterVersion());
        }
        return Bytes.utf8(text(json -> {
            json.beginObject().name("Root");
            root.write(json, "");
            json.name("CurrentIndex").value(0).name("CurrentVersion").value(VERSION).endObject();
        }));
    }

    /**
     * Whether a store has keys that clients of etcd's first API have made ({@code --enable-v2}): they lie under {@code /1}.
     *
     * @param json of a store as etcd saves it
     * @throws IOException if it is no such JSON
     */
    static boolean hasKeys(Bytes json) throws IOException {
        try (JsonReader reader = new JsonReader(new StringReader(json.toUtf8()))) {
            return enter(reader, "Root", "Children", "1", "Children") && reader.peek() == JsonToken.BEGIN_OBJECT
                    && hasMembers(reader);
        } catch (IllegalStateException otherwise) {
            throw new IOException("it is not as etcd writes it: " + otherwise.getMessage(), otherwise);
        }
    }

    private static boolean hasMembers(JsonReader reader) throws IOException {
        reader.beginObject();
        return reader.hasNext();
    }

    /** Goes to what these names lead to, one object in the other; false if nothing is there. */
    private static boolean enter(JsonReader reader, String... names) throws IOException {
        for (String name : names) {
            if (reader.peek() == JsonToken.NULL) {
                return false;
            }
            reader.beginObject();
            boolean isFound = false;
            while (!isFound && reader.hasNext()) {
                isFound = reader.nextName().equals(name);
                if (!isFound) {
                    reader.skipValue();
                }
            }
            if (!isFound) {
                return false;
            }
        }
        return true;
    }

    private static void writeRaftAttributes(JsonWriter json, MemberInfo member) throws IOException {
        json.beginObject();
        writeUrls(json.name("peerURLs"), member.peerUrls());
        if (member.isLearner()) {
            json.name("isLearner").value(true);
        }
        json.endObject();
    }

    private static void writeAttributes(JsonWriter json, MemberInfo member) throws IOException {
        json.beginObject();
        if (!member.name().isEmpty()) {
            json.name("name").value(member.name());
        }
        writeUrls(json.name("clientURLs"), member.clientUrls());
        json.endObject();
    }

    private static void writeUrls(JsonWriter json, List<String> urls) throws IOException {
        json.beginArray();
        for (String url : urls) {
            json.value(url);
        }
        json.endArray();
    }

    private interface Writing {
        void to(JsonWriter json) throws IOException;
    }

    private static String text(Writing writing) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            writing.to(json);
        } catch (IOException e) {
            throw new UncheckedIOException("a string refused to be written to", e);
        }
        return text.toString();
    }
}
