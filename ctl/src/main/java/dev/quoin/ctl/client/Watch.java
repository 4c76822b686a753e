package dev.quoin.ctl.client;

import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.WatchCreateRequest;
import dev.quoin.api.etcdserverpb.WatchProgressRequest;
import dev.quoin.api.etcdserverpb.WatchRequest;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.ctl.rpc.Call;
import dev.quoin.ctl.rpc.Code;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;

/**
 * One watcher on a stream of its own. When the stream breaks it begins again where it was, at a server that can be reached; nothing is
 * left out or told twice (etcd: client/v3/watch.go). One thread takes what comes; another may ask for progress.
 */
public final class Watch implements AutoCloseable {
    private static final Map<String, String> REQUIRE_LEADER = Map.of("hasleader", "true");
    private static final long PAUSE_MILLIS_MAX = 100;

    /**
     * What a watcher is told.
     *
     * @param error why the watch has ended with this; null as long as it goes on
     */
    public record Update(WatchResponse response, @Nullable String error) {
        /** Whether it says no more than how far the watcher is. */
        public boolean isProgress() {
            return error == null && response.getEventsCount() == 0 && !response.getCanceled()
                    && response.getHeader().getRevision() != 0;
        }
    }

    private final Client client;
    private final WatchCreateRequest request;
    private final boolean requiresLeader;
    private final boolean isFromNow;
    private long nextRevision;
    private boolean hasEnded;
    private long pauseMillis = 1;
    private volatile @Nullable Call stream;

    /** @param requiresLeader the watch ends when the server knows no leader */
    public Watch(Client client, WatchCreateRequest request, boolean requiresLeader) {
        this.client = client;
        this.request = request;
        this.requiresLeader = requiresLeader;
        this.isFromNow = request.getStartRevision() == 0;
        this.nextRevision = request.getStartRevision();
    }

    /** Waits for what happens next; nothing when the server has ended the watch without a word. */
    public @Nullable Update next() {
        while (!hasEnded) {
            try {
                Call open = stream;
                byte[] message = (open == null ? open() : open).receive();
                if (message == null) {
                    return end("EOF");
                }
                WatchResponse response = Client.parse(WatchResponse.parser(), message);
                pauseMillis = 1;
                Update update = take(response);
                if (update != null) {
                    return update;
                }
            } catch (RpcException why) {
                if (endsWatch(why)) {
                    return end(Errors.words(why));
                }
                stream = null;
                Client.sleep(pauseMillis);
                pauseMillis = Math.min(2 * pauseMillis, PAUSE_MILLIS_MAX);
            }
        }
        return null;
    }

    private @Nullable Update take(WatchResponse response) {
        if (response.getCreated()) {
            boolean isRefused = response.getWatchId() == -1 || response.getCanceled();
            if (isRefused) {
                return end(response.getCancelReason());
            }
            if (isFromNow && nextRevision == 0) {
                // What comes after this is wanted, even if the stream breaks before it has come.
                nextRevision = response.getHeader().getRevision() + 1;
            }
            return null;
        }
        if (response.getCanceled() && response.getCompactRevision() == 0) {
            hasEnded = true;
            return null;
        }
        if (response.getCompactRevision() != 0) {
            hasEnded = true;
            return new Update(response, Errors.COMPACTED);
        }
        int events = response.getEventsCount();
        nextRevision = events > 0 ? response.getEvents(events - 1).getKv().getModRevision() + 1
                : Math.max(nextRevision, response.getHeader().getRevision() + 1);
        return new Update(response, null);
    }

    private static boolean endsWatch(RpcException why) {
        boolean mayPass = why.code() == Code.UNAVAILABLE || why.code() == Code.INTERNAL;
        if (why.code() == Code.CANCELED && why.outcome() != RpcException.Outcome.ANSWERED) {
            throw why;
        }
        return !mayPass || Errors.is(why, Errors.NO_LEADER);
    }

    private Update end(String error) {
        hasEnded = true;
        return new Update(WatchResponse.newBuilder().setCanceled(true).build(), error);
    }

    private Call open() {
        Call call = client.begin(Method.WATCH, requiresLeader ? REQUIRE_LEADER : Map.of(), Deadline.NEVER);
        WatchCreateRequest create = request.toBuilder().setStartRevision(nextRevision).build();
        call.send(WatchRequest.newBuilder().setCreateRequest(create).build().toByteArray());
        stream = call;
        return call;
    }

    /** Asks the server how far the watcher is. */
    public void askForProgress() {
        Call open = stream;
        if (open != null) {
            open.send(WatchRequest.newBuilder().setProgressRequest(WatchProgressRequest.getDefaultInstance()).build()
                    .toByteArray());
        }
    }

    @Override
    public void close() {
        hasEnded = true;
        Call open = stream;
        if (open != null) {
            open.close();
        }
    }
}
