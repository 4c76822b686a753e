package dev.quoin.server.health;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpResponse;

/** Answers in plain text, with the fields that Go's server gives them. */
final class Plain {
    private static final String TYPE = "text/plain; charset=utf-8";

    private Plain() {}

    /** As a handler that only writes is answered. */
    static HttpResponse written(int status, String text) {
        return HttpResponse.text(status, text);
    }

    /** The same, and no browser is to guess what it is. */
    static HttpResponse unsniffed(int status, String text) {
        return new HttpResponse(status, HttpFields.of("content-type", TYPE, "x-content-type-options", "nosniff"),
                new HttpResponse.Body.Whole(Bytes.utf8(text)));
    }

    /** As net/http Error: with an end of the line of its own. */
    static HttpResponse error(int status, String text) {
        return unsniffed(status, text + "\n");
    }

    static HttpResponse onlyGet() {
        HttpResponse refused = error(405, "Method Not Allowed");
        return new HttpResponse(refused.status(), refused.headers().with("allow", "GET"), refused.body());
    }
}
