package dev.quoin.net;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/** Remembers what a call was told. */
class DialRecord implements DialHandler {
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final CompletableFuture<DialEnd> end = new CompletableFuture<>();
    final CompletableFuture<Integer> status = new CompletableFuture<>();
    private volatile @Nullable HttpFields fields;

    @Override
    public void onHead(DialCall call, int answered, HttpFields headers) {
        fields = headers;
        status.complete(answered);
    }

    @Override
    public synchronized void onBytes(DialCall call, Bytes piece) {
        body.write(piece.array(), piece.offset(), piece.length());
    }

    @Override
    public void onEnd(DialCall call, DialEnd how) {
        if (!end.complete(how)) {
            throw new AssertionError("ended twice");
        }
    }

    synchronized int received() {
        return body.size();
    }

    synchronized String text() {
        return body.toString(StandardCharsets.UTF_8);
    }

    @Nullable
    String field(String name) {
        HttpFields seen = fields;
        return seen == null ? null : seen.first(name);
    }

    DialEnd end() throws Exception {
        return end.get(20, TimeUnit.SECONDS);
    }

    boolean isOver() {
        return end.isDone();
    }

    /** Why it failed, or null if it was answered. */
    DialEnd.@Nullable Why why() throws Exception {
        return end() instanceof DialEnd.Failed failed ? failed.why() : null;
    }
}
