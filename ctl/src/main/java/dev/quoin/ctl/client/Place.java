package dev.quoin.ctl.client;

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.etcdserverpb.WatchCreateRequest;
import dev.quoin.api.mvccpb.Event;
import dev.quoin.base.GoQuote;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.rpc.Deadline;

/**
 * A place in a queue of keys below a prefix, ordered by when they were created: whoever is first has the lock, or leads. What locks and
 * elections have in common (etcd: client/v3/concurrency: mutex.go, election.go, key.go).
 */
public final class Place {
    private final Session session;
    private final ByteString prefix;
    private final ByteString key;
    private long revision;

    /** @param name of the lock or the election */
    public Place(Session session, String name) {
        this.session = session;
        this.prefix = ByteString.copyFromUtf8(name + "/");
        this.key = prefix.concat(ByteString.copyFromUtf8(Long.toHexString(session.lease())));
    }

    public ByteString key() {
        return key;
    }

    /**
     * Takes the place, and waits until nobody is ahead.
     *
     * @return the revision at which this was so
     */
    public long acquire(ByteString value) {
        long revisionThen = join(value);
        if (!awaitTurn()) {
            return revisionThen;
        }
        RangeResponse held = held();
        if (held.getKvsCount() == 0) {
            throw Failure.of("mutex: session is expired");
        }
        return held.getHeader().getRevision();
    }

    /** Puts the key with this value, unless it is there already; it goes when the session does. */
    private long join(ByteString value) {
        RequestOp put = RequestOp.newBuilder()
                .setRequestPut(PutRequest.newBuilder().setKey(key).setValue(value).setLease(session.lease())).build();
        RequestOp get = RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(key)).build();
        TxnResponse answer = txn(TxnRequest.newBuilder().addCompare(createdAt(0)).addSuccess(put).addFailure(get));
        revision = answer.getSucceeded() ? answer.getHeader().getRevision()
                : answer.getResponses(0).getResponseRange().getKvs(0).getCreateRevision();
        return answer.getHeader().getRevision();
    }

    /** Waits until nobody is ahead; returns whether there was anyone. */
    private boolean awaitTurn() {
        boolean hasWaited = false;
        while (true) {
            RangeResponse ahead = range(RangeRequest.newBuilder().setKey(prefix).setRangeEnd(KeyRanges.endOf(prefix))
                    .setLimit(1).setSortOrder(RangeRequest.SortOrder.DESCEND)
                    .setSortTarget(RangeRequest.SortTarget.CREATE).setMaxCreateRevision(revision - 1));
            if (ahead.getKvsCount() == 0) {
                return hasWaited;
            }
            hasWaited = true;
            awaitDeletion(ahead.getKvs(0).getKey(), ahead.getHeader().getRevision());
        }
    }

    private void awaitDeletion(ByteString other, long from) {
        WatchCreateRequest request = WatchCreateRequest.newBuilder().setKey(other).setStartRevision(from).build();
        try (Watch watch = new Watch(session.client(), request, false)) {
            Watch.Update update = watch.next();
            while (update != null && update.error() == null) {
                if (update.response().getEventsList().stream()
                        .anyMatch(event -> event.getType() == Event.EventType.DELETE)) {
                    return;
                }
                update = watch.next();
            }
            throw Failure.of(lostWatch(update));
        }
    }

    private static String lostWatch(Watch.@Nullable Update update) {
        return update == null || update.error() == null ? "lost watcher waiting for delete" : update.error();
    }

    /** The key as it is now; without a version if the session has lost it. */
    public RangeResponse held() {
        return range(RangeRequest.newBuilder().setKey(key));
    }

    /** Gives the place up; it goes with the session anyway, so nobody need wait for this longer than he wants to. */
    public void leave(Deadline deadline) {
        RequestOp delete = RequestOp.newBuilder().setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(key))
                .build();
        session.client().call(Method.TXN,
                TxnRequest.newBuilder().addCompare(createdAt(revision)).addSuccess(delete).build(),
                TxnResponse.parser(), deadline);
    }

    private Compare createdAt(long createRevision) {
        return Compare.newBuilder().setKey(key).setTarget(Compare.CompareTarget.CREATE)
                .setResult(Compare.CompareResult.EQUAL).setCreateRevision(createRevision).build();
    }

    private RangeResponse range(RangeRequest.Builder request) {
        return session.client().call(Method.RANGE, request.build(), RangeResponse.parser(), Deadline.NEVER);
    }

    private TxnResponse txn(TxnRequest.Builder request) {
        return session.client().call(Method.TXN, request.build(), TxnResponse.parser(), Deadline.NEVER);
    }

    @Override
    public String toString() {
        return "place in " + GoQuote.of(prefix.toByteArray());
    }
}
