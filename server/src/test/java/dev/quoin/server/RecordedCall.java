package dev.quoin.server;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.End;
import dev.quoin.net.LongMessage;
import dev.quoin.net.Loop;
import dev.quoin.net.Metadata;
import dev.quoin.net.Method;
import dev.quoin.net.Peer;
import dev.quoin.net.Status;

/** A call without a connection: it keeps what it is sent, and ends when it is told to. */
final class RecordedCall implements Call {
    private static final int PATIENCE_SECONDS = 20;
    /** Does at once what it is given. */
    private static final Loop LOOP = new Loop() {
        @Override
        public void execute(Runnable task) {
            task.run();
        }

        @Override
        public boolean inLoop() {
            return true;
        }

        @Override
        public @Nullable Object attachment() {
            return null;
        }

        @Override
        public void attach(@Nullable Object attachment) {}
    };

    private final Method method;
    private final Metadata headers;
    private final List<Bytes> sent = new ArrayList<>();
    private final CompletableFuture<Status> ended = new CompletableFuture<>();
    private volatile boolean isCancelled;
    private volatile boolean hasRoom = true;
    private @Nullable Object attachment;
    private Peer peer;

    /** Opens it and sends the request. */
    RecordedCall(Method method, Bytes request) {
        this(method, Metadata.EMPTY, request);
    }

    RecordedCall(Method method, Metadata headers, Bytes request) {
        this(method, headers, null, request);
    }

    /** @param commonName of the client's certificate, if it has one */
    RecordedCall(Method method, Metadata headers, @Nullable String commonName, Bytes request) {
        this.method = method;
        this.headers = headers;
        peer = new Peer(new InetSocketAddress(0), commonName != null, commonName);
        method.handler().onOpen(this);
        method.handler().onMessage(this, request);
    }

    /** How it ended, once it has. */
    Status status() throws Exception {
        return ended.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    boolean isOver() {
        return ended.isDone();
    }

    synchronized List<Bytes> sent() {
        return List.copyOf(sent);
    }

    /** The client goes away. */
    void cancel() {
        isCancelled = true;
        method.handler().onEnd(this, End.RESET);
    }

    /** The client takes nothing, or takes again. */
    void room(boolean has) {
        hasRoom = has;
        if (has) {
            method.handler().onWritable(this);
        }
    }

    @Override
    public Method method() {
        return method;
    }

    @Override
    public Metadata headers() {
        return headers;
    }

    /** Whoever makes it is there. */
    RecordedCall from(SocketAddress address) {
        peer = new Peer(address, peer.tls(), peer.commonName());
        return this;
    }

    @Override
    public Peer peer() {
        return peer;
    }

    @Override
    public Loop loop() {
        return LOOP;
    }

    @Override
    public long deadlineNanos() {
        return NO_DEADLINE;
    }

    @Override
    public boolean cancelled() {
        return isCancelled;
    }

    @Override
    public boolean writable() {
        return hasRoom;
    }

    @Override
    public boolean awaitWritable() {
        return !isCancelled;
    }

    @Override
    public void headers(Metadata initial) {
        throw new UnsupportedOperationException();
    }

    @Override
    public synchronized void send(Bytes message) {
        sent.add(message);
    }

    @Override
    public void send(Bytes... pieces) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean send(LongMessage message) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void finish(Status status, Metadata trailers) {
        ended.complete(status);
    }

    @Override
    public synchronized void finish(Bytes... answer) {
        sent.addAll(List.of(answer));
        ended.complete(Status.OK);
    }

    @Override
    public void request(int messages) {}

    @Override
    public @Nullable Object attachment() {
        return attachment;
    }

    @Override
    public void attach(@Nullable Object attachment) {
        this.attachment = attachment;
    }
}
