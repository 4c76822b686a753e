package dev.quoin.server.peer;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpResponse;

/** Answers of the peer port in the form that Go gives them. */
final class PeerAnswers {
    private PeerAnswers() {}

    /** As Go's http.Error writes it. */
    static HttpResponse error(int status, String text, HttpFields headers) {
        HttpFields all = headers.with("content-type", "text/plain; charset=utf-8").with("x-content-type-options",
                "nosniff");
        return new HttpResponse(status, all, new HttpResponse.Body.Whole(Bytes.utf8(text + "\n")));
    }

    static HttpResponse error(int status, String text) {
        return error(status, text, HttpFields.EMPTY);
    }

    static HttpResponse onlyMethod(String method) {
        return error(405, "Method Not Allowed", HttpFields.of("allow", method));
    }

    static HttpResponse notFound() {
        return error(404, "404 page not found");
    }

    static HttpResponse json(int status, String body, HttpFields headers) {
        return new HttpResponse(status, headers.with("content-type", "application/json"),
                new HttpResponse.Body.Whole(Bytes.utf8(body)));
    }

    static HttpResponse noContent(HttpFields headers) {
        return new HttpResponse(204, headers, new HttpResponse.Body.Whole(Bytes.EMPTY));
    }
}
