package dev.quoin.server.gateway;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

import com.google.protobuf.Descriptors.Descriptor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpBody;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpHandler;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.net.InnerCall;
import dev.quoin.net.InnerCall.Received;
import dev.quoin.net.InnerCalls;
import dev.quoin.net.Peer;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.server.gateway.Routes.Route;
import dev.quoin.server.metrics.LimitMet;

/**
 * Serves {@code /v3/}, and passes on all else. A request becomes one call of the RPC that its path names; the call ends when the
 * client goes.
 *
 * <p>What is answered once: a message, or a status as {@code {"code":…,"message":…}} with the HTTP status that belongs to it.
 * What is answered as a stream: a line for each message, {@code {"result":…}}, and one for a status that is not good, {@code
 * {"error":…}}; nothing is sent before the first of them. What the client streams (watch, keep-alive) are JSON documents one
 * behind the other; the end of the body, or one that cannot be read, ends the client's side and nothing else.
 *
 * <p><b>Bounds.</b> How many calls are open at once is bounded by the {@link InnerCalls}; a document by twice the largest
 * message (base64 takes a third more), all documents together by a budget. Any thread; each request has one of its own, a
 * virtual one.
 */
public final class Gateway implements HttpHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);
    private static final String JSON = "application/json";
    /** Answers up to this size are made before the HTTP status is sent, so that it can still say that it went wrong. */
    private static final int WHOLE_BYTES_MAX = 1 << 20;
    private static final int PIECE_BYTES = 65_536;
    /**
     * A line of a stream up to this size is one chunk: some clients (etcd3gw) take a chunk for a line. What watchers are told at
     * a time is not larger, unless one revision is.
     */
    private static final int LINE_BYTES = 4 << 20;

    private final HttpHandler behind;
    private final InnerCalls calls;
    private final int documentBytesMax;
    private final BodyBudget budget;
    private final LimitMet tooLarge;

    /** Made at the first request: it takes the descriptors of all messages, which nothing else needs at the start. */
    private static final class Table {
        static final Routes ROUTES = new Routes();
    }

    /**
     * A gateway before another handler.
     *
     * @param messageBytesMax the largest message that a request may become
     * @param bodyBytesMax what all requests together may hold that have not become one yet
     * @param tooLarge told whose request is larger than either
     */
    public Gateway(HttpHandler behind, InnerCalls calls, int messageBytesMax, long bodyBytesMax, LimitMet tooLarge) {
        this.behind = behind;
        this.calls = calls;
        documentBytesMax = (int) Math.min(2L * messageBytesMax, Integer.MAX_VALUE - 8);
        budget = new BodyBudget(bodyBytesMax);
        this.tooLarge = tooLarge;
    }

    @Override
    public HttpResponse handle(HttpRequest request) throws InterruptedException {
        return behind.handle(request);
    }

    @Override
    public boolean streams(String method, String path) {
        return Routes.isOurs(path) || behind.streams(method, path);
    }

    @Override
    public HttpResponse handleStreamed(HttpRequest head, HttpBody body) throws InterruptedException {
        if (!Routes.isOurs(head.path())) {
            return behind.handleStreamed(head, body);
        }
        Route route = Table.ROUTES.find(head.path());
        if (route == null) {
            return error(Status.of(Status.Code.NOT_FOUND, "Not Found"));
        }
        if (!head.method().equals("POST")) {
            return error(Status.of(Status.Code.UNIMPLEMENTED, "Method Not Allowed"));
        }
        try {
            Descriptor type = route.method().getOutputType();
            if (!route.serverStreams()) {
                return answer(ask(head, route, body), type);
            }
            return answers(route.clientStreams() ? converse(head, route, body) : ask(head, route, body), type);
        } catch (StatusException refused) {
            if (refused.status().code() == Status.Code.RESOURCE_EXHAUSTED) {
                tooLarge.by(head.peer().address());
            }
            return error(refused.status());
        }
    }

    // ---- asking

    /** Asks with the one message that the body is. */
    private InnerCall ask(HttpRequest head, Route route, HttpBody body) throws StatusException, InterruptedException {
        if (head.contentLength() > documentBytesMax) {
            throw Documents.tooLarge(documentBytesMax);
        }
        Bytes message;
        try (Documents documents = new Documents(body, false, documentBytesMax, budget)) {
            Bytes document = documents.next();
            message = document == null ? Bytes.EMPTY : message(document, route);
            documents.skipRest();
        }
        InnerCall call = open(head, route);
        body.whenGone(call::cancel);
        call.send(message);
        call.halfClose();
        return call;
    }

    /** Asks with what the body says, document by document, on a thread of its own. */
    private InnerCall converse(HttpRequest head, Route route, HttpBody body) throws StatusException {
        InnerCall call = open(head, route);
        body.whenGone(call::cancel);
        Thread.ofVirtual().name("gateway-body").start(() -> {
            try (Documents documents = new Documents(body, true, documentBytesMax, budget)) {
                boolean isHeard = true;
                while (isHeard) {
                    Bytes document = documents.next();
                    isHeard = document != null && call.send(message(document, route));
                }
            } catch (StatusException ended) {
                LOG.debug("a client's side of {} ends: {}", route.rpc(), ended.getMessage());
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            } finally {
                call.halfClose();
            }
        });
        return call;
    }

    /** A certificate's name is not passed on: it would be taken for the user's, and a token may come with the request. */
    private InnerCall open(HttpRequest head, Route route) throws StatusException {
        Peer peer = new Peer(head.peer().address(), head.peer().tls(), null);
        return calls.open(route.rpc(), Heads.metadata(head), peer, Heads.deadlineNanos(head));
    }

    private static Bytes message(Bytes document, Route route) throws StatusException {
        try {
            return Bytes.of(JsonParser.parse(document, route.method().getInputType()).toByteArray());
        } catch (JsonTokens.Refused refused) {
            throw new StatusException(Status.Code.INVALID_ARGUMENT, String.valueOf(refused.getMessage()));
        }
    }

    // ---- answering once

    private static HttpResponse answer(InnerCall call, Descriptor type) throws InterruptedException {
        return switch (call.receive()) {
            case Received.Ended(Status status) -> error(status);
            case Received.Message message -> message.length() > WHOLE_BYTES_MAX
                    ? good(new HttpResponse.Body.Streamed(sink -> print(call, message, type, sink)))
                    : whole(call, message, type);
        };
    }

    private static HttpResponse whole(InnerCall call, Received.Message message, Descriptor type)
            throws InterruptedException {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try {
            JsonPrinter.print(message.content(), type, json, false);
            Status status = ending(call);
            return status.isOk() ? good(new HttpResponse.Body.Whole(Bytes.of(json.toByteArray()))) : error(status);
        } catch (IOException broken) {
            Status status = ending(call);
            if (status.isOk()) {
                throw new UncheckedIOException("an answer is not complete, and its call ended well", broken);
            }
            return error(status);
        } finally {
            call.cancel();
        }
    }

    /** How the call ends behind its last message. */
    private static Status ending(InnerCall call) throws InterruptedException {
        if (call.receive() instanceof Received.Ended(Status status)) {
            return status;
        }
        throw new IllegalStateException("a call that is answered once was answered twice");
    }

    /** Too large to be made first: if it breaks off the client finds it so. */
    private static void print(InnerCall call, Received.Message message, Descriptor type, HttpResponse.Sink sink)
            throws InterruptedException {
        try {
            Pieces pieces = new Pieces(sink, PIECE_BYTES);
            JsonPrinter.print(message.content(), type, pieces, false);
            pieces.flush();
        } catch (Pieces.Gone gone) {
            LOG.debug("nobody is there to take an answer");
        } catch (IOException broken) {
            throw new UncheckedIOException("an answer broke off: " + ending(call).message(), broken);
        } finally {
            call.cancel();
        }
    }

    /** An answer that went well, with the one header of the call that grpc-gateway shows. */
    private static HttpResponse good(HttpResponse.Body body) {
        return new HttpResponse(200,
                HttpFields.of("content-type", JSON, "grpc-metadata-content-type", "application/grpc"), body);
    }

    private static HttpResponse error(Status status) {
        HttpResponse error = HttpResponse.of(httpStatus(status.code()), JSON, json(status, false));
        // What etcd sends, though it is no challenge that RFC 9110 knows.
        return status.code() == Status.Code.UNAUTHENTICATED
                ? new HttpResponse(error.status(), error.headers().with("www-authenticate", status.message()),
                        error.body())
                : error;
    }

    private static Bytes json(Status status, boolean isForHtml) {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try {
            JsonPrinter.print(status, json, isForHtml);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return Bytes.of(json.toByteArray());
    }

    /** grpc-gateway, runtime/errors.go HTTPStatusFromCode. */
    static int httpStatus(Status.Code code) {
        return switch (code) {
            case OK -> 200;
            case CANCELLED -> 499;
            case INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE -> 400;
            case DEADLINE_EXCEEDED -> 504;
            case NOT_FOUND -> 404;
            case ALREADY_EXISTS, ABORTED -> 409;
            case PERMISSION_DENIED -> 403;
            case UNAUTHENTICATED -> 401;
            case RESOURCE_EXHAUSTED -> 429;
            case UNIMPLEMENTED -> 501;
            case UNAVAILABLE -> 503;
            case UNKNOWN, INTERNAL, DATA_LOSS -> 500;
        };
    }

    // ---- answering as a stream

    /** Waits for the first line, which says what the HTTP status is. */
    private static HttpResponse answers(InnerCall call, Descriptor type) throws InterruptedException {
        return switch (call.receive()) {
            case Received.Ended(Status status) -> status.isOk()
                    ? new HttpResponse(200, HttpFields.EMPTY, new HttpResponse.Body.Whole(Bytes.EMPTY))
                    : HttpResponse.of(httpStatus(status.code()), JSON, errorLine(status));
            case Received.Message first -> good(new HttpResponse.Body.Streamed(sink -> lines(call, first, type, sink)));
        };
    }

    private static Bytes errorLine(Status status) {
        return Bytes.utf8("{\"error\":" + json(status, true).toUtf8() + "}\n");
    }

    private static void lines(InnerCall call, Received.Message first, Descriptor type, HttpResponse.Sink sink)
            throws InterruptedException {
        Pieces pieces = new Pieces(sink, LINE_BYTES);
        try {
            boolean goesOn = line(first, type, pieces);
            while (goesOn) {
                goesOn = line(call.receive(), type, pieces);
            }
        } catch (Pieces.Gone gone) {
            LOG.debug("nobody is there to take a stream");
        } catch (IOException broken) {
            throw new UncheckedIOException("a message of a stream broke off: " + ending(call).message(), broken);
        } finally {
            call.cancel();
        }
    }

    /** Writes what was received; false if that was the end. */
    private static boolean line(Received received, Descriptor type, Pieces pieces) throws IOException {
        return switch (received) {
            case Received.Message message -> {
                pieces.write("{\"result\":".getBytes(StandardCharsets.US_ASCII));
                JsonPrinter.print(message.content(), type, pieces, true);
                pieces.write("}\n".getBytes(StandardCharsets.US_ASCII));
                pieces.flush();
                yield true;
            }
            case Received.Ended(Status status) -> {
                if (!status.isOk()) {
                    pieces.write(errorLine(status).toByteArray());
                    pieces.flush();
                }
                yield false;
            }
        };
    }
}
