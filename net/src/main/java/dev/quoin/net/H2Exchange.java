package dev.quoin.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * A request that is not gRPC on an HTTP/2 stream: collects its body, or passes it on as it comes; has the request answered,
 * writes the answer. What is passed on and not read yet is not given back to the stream's window.
 */
final class H2Exchange extends H2Stream {
    private final Http2Headers headers;
    private @Nullable ByteBuf body;
    private @Nullable ArrivingBody streamed;
    private boolean answered;
    private long charged;
    private int unconsumed;

    H2Exchange(H2Connection connection, Http2Stream stream, Http2Headers headers) {
        super(connection, stream);
        this.headers = headers;
    }

    /** The head is there. */
    void open() {
        HttpRequest head = request();
        if (connection.shared().config.http().streams(head.method(), head.path())) {
            ArrivingBody arriving = new ArrivingBody();
            streamed = arriving;
            start(head, arriving);
        } else if (headers.getLong(HttpHeaderNames.CONTENT_LENGTH, 0) > connection.shared().limits.httpBodyBytesMax()) {
            refuseBody();
        }
    }

    private void refuseBody() {
        connection.refused(NetMetrics.Refusal.HTTP_BODY);
        respond(HttpResponse.text(413, "request body too large\n"));
    }

    private final class ArrivingBody extends StreamedBody {
        ArrivingBody() {
            super(connection.shared().limits);
        }

        @Override
        void taken() {
            connection.loop().execute(() -> giveBack(waitingBytes()));
        }
    }

    /** Lets the client send as much as it has sent but for this. */
    private void giveBack(int kept) {
        int bytes = unconsumed - kept;
        if (bytes > 0) {
            unconsumed = kept;
            connection.consume(this, bytes);
        }
    }

    @Override
    int data(ByteBuf data, int total, boolean end) {
        if (end) {
            remoteEnded = true;
        }
        if (isOver()) {
            return total;
        }
        if (streamed != null) {
            return arrived(streamed, data, total, end);
        }
        if (answered) {
            return total;
        }
        int bytes = data.readableBytes();
        ByteBuf collected = body;
        if (collected == null) {
            collected = Unpooled.buffer(Math.max(bytes, 256));
            body = collected;
        }
        charged += bytes;
        if (!connection.charge(bytes)
                || collected.readableBytes() + bytes > connection.shared().limits.httpBodyBytesMax()) {
            refuseBody();
            return total;
        }
        collected.writeBytes(data);
        if (end) {
            start(request(), null);
        }
        return total;
    }

    private int arrived(ArrivingBody arriving, ByteBuf data, int total, boolean end) {
        if (data.isReadable()) {
            byte[] piece = new byte[data.readableBytes()];
            data.readBytes(piece);
            arriving.arrived(piece);
        }
        if (end) {
            arriving.ended();
        }
        unconsumed += total;
        // What the client may send ahead is held; padding, and what nobody wants, is not.
        int held = Math.min(unconsumed, arriving.waitingBytes());
        int back = unconsumed - held;
        unconsumed = held;
        return back;
    }

    @Override
    void remoteEnd() {
        remoteEnded = true;
        if (streamed != null) {
            streamed.ended();
        } else if (!isOver() && !answered) {
            start(request(), null);
        }
    }

    private void start(HttpRequest request, @Nullable HttpBody arriving) {
        if (!connection.shared().requests
                .start(() -> HttpWork.run(connection.shared(), request, arriving, new Reply()))) {
            connection.refused(NetMetrics.Refusal.HTTP_REQUESTS);
            respond(HttpResponse.text(503, "too many requests in work\n"));
        }
    }

    private HttpRequest request() {
        ByteBuf collected = body;
        Bytes bytes = collected == null ? Bytes.EMPTY
                : Bytes.of(collected.array(), collected.arrayOffset(), collected.readableBytes());
        String target = String.valueOf(headers.path());
        int question = target.indexOf('?');
        HttpFields fields = HttpFields.collect(sink -> headers.forEach(entry -> {
            String name = entry.getKey().toString();
            if (name.equals(":authority")) {
                sink.accept("host", entry.getValue().toString());
            } else if (!name.startsWith(":")) {
                sink.accept(name, entry.getValue().toString());
            }
        }));
        return new HttpRequest(String.valueOf(headers.method()), question < 0 ? target : target.substring(0, question),
                question < 0 ? null : target.substring(question + 1), fields, bytes, connection.peer());
    }

    private boolean isHead() {
        return "HEAD".contentEquals(String.valueOf(headers.method()));
    }

    /** The way back from the virtual thread. */
    private final class Reply implements HttpWork.Reply {
        @Override
        public void whole(HttpResponse response) {
            post(() -> respond(response));
        }

        @Override
        public void head(HttpResponse response) {
            post(() -> begin(response, false));
        }

        @Override
        public boolean piece(Bytes piece) throws InterruptedException {
            if (!awaitRoom()) {
                return false;
            }
            push(piece);
            return true;
        }

        @Override
        public boolean hasRoom() {
            return H2Exchange.this.hasRoom();
        }

        @Override
        public void push(Bytes piece) {
            sending(piece.length());
            post(() -> {
                if (!isOver()) {
                    connection.writeData(H2Exchange.this, Unpooled.wrappedBuffer(piece.array(), piece.offset(),
                            piece.length()), false);
                    checkWritable();
                }
                sent(piece.length());
            });
        }

        @Override
        public void end() {
            post(() -> {
                if (!isOver()) {
                    connection.writeData(H2Exchange.this, Unpooled.EMPTY_BUFFER, true);
                    finished();
                }
            });
        }

        @Override
        public void fail() {
            post(() -> {
                if (!isOver()) {
                    setOver();
                    connection.reset(H2Exchange.this, io.netty.handler.codec.http2.Http2Error.INTERNAL_ERROR);
                }
            });
        }

        private void post(Runnable task) {
            connection.loop().execute(task);
        }
    }

    private void respond(HttpResponse response) {
        if (isOver() || answered) {
            return;
        }
        Bytes bytes = response.body() instanceof HttpResponse.Body.Whole whole ? whole.bytes() : Bytes.EMPTY;
        boolean empty = bytes.isEmpty() || isHead();
        begin(response, empty);
        if (!empty) {
            connection.writeData(this, Unpooled.wrappedBuffer(bytes.array(), bytes.offset(), bytes.length()), true);
        }
        finished();
    }

    private void begin(HttpResponse response, boolean end) {
        if (isOver() || answered) {
            return;
        }
        answered = true;
        Http2Headers out = new DefaultHttp2Headers(false);
        out.status(Integer.toString(response.status()));
        HttpWork.fields(response, true).forEach(out::add);
        connection.writeHeaders(this, out, end);
    }

    private void finished() {
        release();
        setOver();
        if (streamed != null) {
            streamed.discard();
            giveBack(0);
        }
    }

    private void release() {
        connection.charge(-charged);
        charged = 0;
        body = null; // An array on the heap: the request may still use it.
    }

    @Override
    void closed(End why) {
        unconsumed = 0; // The flow controller gives back what a closed stream held.
        release();
        if (!isOver()) {
            setOver();
            if (streamed != null) {
                streamed.gone();
            }
        }
    }

    @Override
    void becameWritable() {}
}
