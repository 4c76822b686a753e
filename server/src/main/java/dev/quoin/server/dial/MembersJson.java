package dev.quoin.server.dial;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;

import dev.quoin.member.MemberInfo;

/** A list of members as they tell it to each other. Keys that are not known are passed over. */
public final class MembersJson {
    private MembersJson() {}

    /**
     * Reads what another server wrote.
     *
     * @throws IOException it is no such list
     */
    public static List<MemberInfo> parse(String text) throws IOException {
        List<MemberInfo> members = new ArrayList<>();
        try (JsonReader json = new JsonReader(new StringReader(text))) {
            if (json.peek() == JsonToken.NULL) {
                return members;
            }
            json.beginArray();
            while (json.hasNext()) {
                members.add(member(json));
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

    private static MemberInfo member(JsonReader json) throws IOException {
        long id = 0;
        String name = "";
        List<String> peerUrls = List.of();
        List<String> clientUrls = List.of();
        boolean isLearner = false;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "id" -> id = Long.parseUnsignedLong(json.nextString());
                case "name" -> name = json.nextString();
                case "peerURLs" -> peerUrls = urls(json);
                case "clientURLs" -> clientUrls = urls(json);
                case "isLearner" -> isLearner = json.nextBoolean();
                default -> json.skipValue();
            }
        }
        json.endObject();
        return new MemberInfo(id, name, peerUrls, clientUrls, isLearner);
    }

    private static List<String> urls(JsonReader json) throws IOException {
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
