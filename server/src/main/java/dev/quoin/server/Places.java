package dev.quoin.server;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.BooleanSupplier;

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.net.StatusException;
import dev.quoin.store.KeyRange;
import dev.quoin.store.KeyValues;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.View;

/**
 * Queues that are made of keys: all keys below {@code NAME/} are one queue, in the order in which they were created, and
 * whoever owns the oldest is at the front. That is a lock, or an election. A place in it is the key {@code NAME/LEASE}, the
 * lease in hexadecimal, so that one lease has one place and loses it when it ends (client/v3/concurrency).
 *
 * <p>Nothing is decided by a clock, and nothing is kept here: a place is at the front if a view of the store shows it there,
 * and every view is a moment of the one history that all members share. So any member may be asked, one that lags only
 * answers later, and at the revision that an answer carries its place was there and none was older.
 *
 * <p>Who waits is woken by a change of its own key or of the key before it, and by nothing else: a queue of any length moves
 * on with one wake-up for each step.
 */
final class Places {
    private static final int LEAVE_TRIES = 3;

    private final Log log;
    private final Views views;
    private final Changes changes;

    /** @param views of what the log has led to, each no older than what the log has answered before */
    Places(Log log, Views views, Changes changes) {
        this.log = log;
        this.views = views;
        this.changes = changes;
    }

    /** What writes, in the name of who asks, and says what they may see. */
    interface Log {
        /** Has a transaction done, and waits for that. */
        Outcome.Txned txn(TxnRequest request) throws StatusException, InterruptedException;

        /** The same in the member's own name, whoever asks: to take back what was done for them. */
        Outcome.Txned takeBack(TxnRequest request) throws StatusException, InterruptedException;

        /** Refuses if who asks may not read these keys, as of now. */
        void checkRead(KeyRange range) throws StatusException, InterruptedException;

        /** Refuses if who asks may not be told from now on what becomes of these keys. */
        void checkWatch(KeyRange range) throws StatusException, InterruptedException;
    }

    /** Where to hear that keys have changed. */
    interface Changes {
        /** Gives the nudge whenever one of these may have changed, until it is closed. Says nothing about the past. */
        Subscription subscribe(List<KeyRange> ranges, Nudge nudge);
    }

    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * A place in a queue.
     *
     * @param queue all keys of the queue
     * @param created the revision at which the key was created: the order of the queue, and what guards a transaction
     * @param found the value that the key has had, null if the key is new
     * @param revision of the store, when the place was taken
     */
    record Place(KeyRange queue, Bytes key, long lease, long created, @Nullable Bytes found, long revision) {}

    static KeyRange queue(Bytes name) {
        byte[] begin = new byte[name.length() + 1];
        name.copyTo(begin, 0);
        begin[name.length()] = '/';
        byte[] end = begin.clone();
        end[name.length()]++;
        return new KeyRange(Bytes.of(begin), Bytes.of(end));
    }

    /** The key of a lease in a queue: as Go writes a signed number in hexadecimal. */
    static Bytes key(KeyRange queue, long lease) {
        String number = lease < 0 ? "-" + Long.toHexString(-lease) : Long.toHexString(lease);
        byte[] digits = number.getBytes(StandardCharsets.US_ASCII);
        byte[] key = new byte[queue.key().length() + digits.length];
        queue.key().copyTo(key, 0);
        System.arraycopy(digits, 0, key, queue.key().length(), digits.length);
        return Bytes.of(key);
    }

    /** Takes a place at the end of a queue, or finds the one that this lease has already. */
    Place take(Bytes name, long lease, Bytes value) throws StatusException, InterruptedException {
        KeyRange queue = queue(name);
        log.checkWatch(queue);
        Bytes key = key(queue, lease);
        TxnRequest request = ifCreated(key, 0).addSuccess(put(key, lease, value))
                .addFailure(RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(string(key))))
                .build();
        Outcome.Txned txned = log.txn(request);
        if (txned.succeeded()) {
            return new Place(queue, key, lease, txned.revision(), null, txned.revision());
        }
        if (!(txned.responses().getFirst() instanceof Outcome.Ranged ranged) || ranged.kvs().isEmpty()) {
            throw Invariant.violation("%s is there and is not found", key);
        }
        KeyValues.KeyValue kv = KeyValues.decode(ranged.kvs().getFirst());
        return new Place(queue, key, lease, kv.createRevision(), kv.value(), txned.revision());
    }

    /**
     * Waits until a place is at the front.
     *
     * @param over whether nobody asks any more
     * @param nudge given when that changes
     * @return a revision at which it is there, and at the front
     * @throws StatusException with {@code lost} if it is gone, or if nobody asks any more
     */
    long awaitFront(BooleanSupplier over, Place place, Nudge nudge, StatusException lost)
            throws StatusException, InterruptedException {
        while (true) {
            log.checkWatch(place.queue);
            View view = views.newest();
            if (created(view, place.key) != place.created) {
                throw lost;
            }
            KeyValues.KeyValue before = before(view, place);
            if (before == null) {
                return view.revision();
            }
            awaitChange(over, place, before, nudge);
        }
    }

    private void awaitChange(BooleanSupplier over, Place place, KeyValues.KeyValue before, Nudge nudge)
            throws StatusException, InterruptedException {
        List<KeyRange> keys = List.of(KeyRange.single(place.key), KeyRange.single(before.key()));
        try (Subscription _ = changes.subscribe(keys, nudge)) {
            while (true) {
                if (over.getAsBoolean()) {
                    throw new StatusException(Errors.CANCELLED);
                }
                View view = views.newest();
                if (created(view, place.key) != place.created
                        || created(view, before.key()) != before.createRevision()) {
                    return;
                }
                nudge.await();
            }
        }
    }

    /** Gives up a place, unless it is gone, or is another one by now. Who cannot be told is not told. */
    void leave(Place place) throws InterruptedException {
        TxnRequest request = ifCreated(place.key, place.created).addSuccess(delete(place.key)).build();
        for (int tries = 0; tries < LEAVE_TRIES; tries++) {
            try {
                log.takeBack(request);
                return;
            } catch (StatusException failed) {
                // A place that nobody waits in would keep all others waiting until its lease ends: once more, then.
            }
        }
    }

    /** Who is at the front of a queue in a view, as it is stored; null if nobody is. */
    @Nullable
    Bytes front(View view, KeyRange queue) throws StatusException, InterruptedException {
        log.checkRead(queue);
        return first(view, Query.of(queue).withLimit(1).withSort(Query.Order.ASCEND, Query.Target.CREATE));
    }

    private KeyValues.@Nullable KeyValue before(View view, Place place) throws StatusException {
        Bytes found = first(view, Query.of(place.queue).withLimit(1)
                .withSort(Query.Order.DESCEND, Query.Target.CREATE).withKeysOnly()
                .withFilter(new Query.Filter(0, 0, 0, place.created - 1)));
        return found == null ? null : KeyValues.decode(found);
    }

    /** When a key was created, 0 if it is not there. */
    private long created(View view, Bytes key) throws StatusException {
        Bytes found = first(view, Query.get(key).withKeysOnly());
        return found == null ? 0 : KeyValues.decode(found).createRevision();
    }

    private @Nullable Bytes first(View view, Query query) throws StatusException {
        try {
            Outcome outcome = view.range(query);
            if (!(outcome instanceof Outcome.Ranged ranged)) {
                throw Invariant.violation("a range of now was refused: %s", outcome);
            }
            return ranged.kvs().isEmpty() ? null : ranged.kvs().getFirst();
        } catch (Damaged | Gone unreadable) {
            throw new StatusException(views.status(unreadable, view.revision()));
        }
    }

    // ---- requests

    /** A transaction that depends on when a key was created. */
    static TxnRequest.Builder ifCreated(Bytes key, long revision) {
        return TxnRequest.newBuilder().addCompare(Compare.newBuilder().setKey(string(key))
                .setTarget(Compare.CompareTarget.CREATE).setResult(Compare.CompareResult.EQUAL)
                .setCreateRevision(revision));
    }

    static RequestOp put(Bytes key, long lease, Bytes value) {
        return RequestOp.newBuilder().setRequestPut(
                PutRequest.newBuilder().setKey(string(key)).setLease(lease).setValue(string(value))).build();
    }

    static RequestOp delete(Bytes key) {
        return RequestOp.newBuilder().setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(string(key)))
                .build();
    }

    static ByteString string(Bytes bytes) {
        return ByteString.copyFrom(bytes.array(), bytes.offset(), bytes.length());
    }

    static Bytes bytes(ByteString string) {
        return Bytes.of(string.toByteArray());
    }
}
