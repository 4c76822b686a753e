package dev.quoin.store;

import java.util.NavigableMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * The keys and their history, for the one thread that owns them. Commands are applied in the order of the log; what they
 * did can be read by everybody else once it is {@link #publish published}.
 *
 * <p>Before the first command the store is rebuilt: {@link #restore} for every record there is, in the order they were
 * appended, then {@link #restored}.
 *
 * <p>A command is applied wholly or refused wholly. Should it fail in the middle, because a record that it must read
 * cannot be read, the store is finished: it applies and publishes nothing more, and what has been published stays as it
 * was.
 */
public final class Store {
    private static final long FIRST_REVISION = 1;
    private static final long NEVER_COMPACTED = -1;

    private enum State {
        RESTORING,
        READY,
        /** Within a command; left in this state by one that failed. */
        APPLYING
    }

    private final Records records;
    private final Leases leases;
    private final Buckets buckets = new Buckets(this::appendBucket);
    private final KeyIndex index = KeyIndex.empty();
    private State state = State.RESTORING;
    private long revision = FIRST_REVISION;
    private long compactedRevision = NEVER_COMPACTED;

    /** Written by the owner, read by all: the write is what hands the frozen index over to other threads. */
    private volatile View view;

    public Store(Records records, Leases leases) {
        this.records = records;
        this.leases = leases;
        this.view = new View(index.freeze(), records, revision, compactedRevision);
    }

    // ---- recovery

    /**
     * Takes up one record. Records of superseded revisions may be missing, as a compaction may have given up any of them:
     * what a put says of its own history outweighs what was seen before it.
     */
    public void restore(long position, long main, int sub, int kind, Bytes payload) {
        Invariant.check(state == State.RESTORING, "a record of revision %d comes after the last", main);
        if (kind == Records.Kind.PUT.number()) {
            restorePut(KeyValues.decode(payload), main, sub, position);
        } else if (kind == Records.Kind.TOMBSTONE.number()) {
            restoreTombstone(payload, main, sub, position);
        } else if (kind == Records.Kind.COMPACTION.number()) {
            compactedRevision = new ProtoReader(payload).varint();
        } else if (kind == Records.Kind.BUCKET.number()) {
            buckets.restore(payload);
        } else {
            throw Invariant.violation("a record of revision %d has the unknown kind %d", main, kind);
        }
        revision = Math.max(revision, main);
    }

    private void restorePut(KeyValues.KeyValue kv, long main, int sub, long position) {
        Invariant.check(kv.modRevision() == main, "a record of revision %d says it is of revision %d", main,
                kv.modRevision());
        History history = index.find(kv.key());
        if (history == null) {
            index.add(kv.key(), History.restored(kv.createRevision(), kv.version(), main, sub, position));
            return;
        }
        History next = history.put(main, sub, position);
        int newest = next.newest();
        boolean continues = next.create(newest) == kv.createRevision() && next.version(newest) == kv.version();
        index.replace(kv.key(), continues
                ? next
                : History.restored(kv.createRevision(), kv.version(), main, sub, position));
    }

    private void restoreTombstone(Bytes key, long main, int sub, long position) {
        History history = index.find(key);
        if (history == null) {
            index.add(key, History.restoredTombstone(main, sub, position));
        } else if (history.isLive()) {
            index.replace(key, history.delete(main, sub, position));
        } else {
            // The puts between two deletions are gone.
            index.replace(key, History.restoredTombstone(main, sub, position));
        }
    }

    /** All records have been taken up: from now on commands are applied. Publishes. */
    public void restored() {
        Invariant.check(state == State.RESTORING, "the store has been restored before");
        state = State.READY;
        publish();
    }

    // ---- what is not keys

    private void appendBucket(Bytes payload) {
        records.append(revision, 0, Records.Kind.BUCKET.number(), payload);
    }

    /** What the bucket holds under this key, for the owner. */
    public @Nullable Bytes bucketGet(Bucket bucket, Bytes key) {
        return buckets.get(bucket, key);
    }

    /** For buckets that belong to the member, as part of the batch that is being applied. */
    public void bucketPut(Bucket bucket, Bytes key, Bytes value) {
        Invariant.check(state == State.READY, "a change of %s in a store that is not ready or has failed", bucket);
        buckets.put(bucket, key, value);
    }

    public void bucketDelete(Bucket bucket, Bytes key) {
        Invariant.check(state == State.READY, "a change of %s in a store that is not ready or has failed", bucket);
        buckets.delete(bucket, key);
    }

    /** All of a bucket in the order of its keys, for the owner. */
    public NavigableMap<Bytes, Bytes> bucketScan(Bucket bucket) {
        return buckets.scan(bucket);
    }

    // ---- commands

    /** Does what the command says, for somebody who waits for the answer. */
    public Outcome apply(Command command) {
        return apply(command, true);
    }

    /**
     * The same change for nobody: reads only what the change depends on. Of the outcome only revisions, counts of
     * deletions, branches and refusals are as {@link #apply} would give them.
     */
    public Outcome applyUnheard(Command command) {
        return apply(command, false);
    }

    private Outcome apply(Command command, boolean heard) {
        Invariant.check(state == State.READY, "a command for a store that is not ready or has failed");
        state = State.APPLYING;
        Outcome outcome = switch (command) {
            case Command.Put put -> put(put, heard);
            case Command.DeleteRange delete -> delete(delete, heard);
            case Command.Txn txn -> txn(txn, heard);
            case Command.Compact(long at) -> compact(at);
            case Command.Nothing() -> new Outcome.Nothing(revision);
        };
        state = State.READY;
        return outcome;
    }

    private Transaction begin(boolean heard) {
        return new Transaction(index, records, revision, heard);
    }

    private Outcome put(Command.Put put, boolean heard) {
        if (put.lease() != 0 && !leases.exists(put.lease())) {
            return new Outcome.Refused(Refusal.LEASE_NOT_FOUND);
        }
        if ((put.ignoreValue() || put.ignoreLease()) && !now().isLive(put.key())) {
            return new Outcome.Refused(Refusal.KEY_NOT_FOUND);
        }
        Outcome.Put outcome = begin(heard).put(put);
        revision = outcome.revision();
        return outcome;
    }

    private Outcome delete(Command.DeleteRange delete, boolean heard) {
        Outcome.Deleted outcome = begin(heard).delete(delete);
        revision = outcome.revision();
        return outcome;
    }

    private Outcome txn(Command.Txn txn, boolean heard) {
        Reading before = now();
        Decision decision = Decision.of(txn, before);
        Refusal refusal = decision.refusal(before, compactedRevision, leases);
        if (refusal != null) {
            return new Outcome.Refused(refusal);
        }
        Outcome.Txned outcome = begin(heard).run(decision);
        revision = outcome.revision();
        return outcome;
    }

    private Outcome compact(long at) {
        if (at <= compactedRevision) {
            return new Outcome.Refused(Refusal.COMPACTED);
        }
        if (at > revision) {
            return new Outcome.Refused(Refusal.FUTURE_REVISION);
        }
        compactedRevision = at;
        ProtoWriter payload = new ProtoWriter(0);
        payload.varint(at);
        records.append(revision, 0, Records.Kind.COMPACTION.number(), Bytes.of(payload.toByteArray()));
        return new Outcome.Compacted(revision);
    }

    private Reading now() {
        return new Reading(index, records, revision);
    }

    // ---- readers

    /** Lets readers see what has been applied. Costs as much as the next batch has to copy: call it once per batch. */
    public void publish() {
        Invariant.check(state == State.READY, "a store that is not ready or has failed is published");
        view = new View(index.freeze(), records, revision, compactedRevision);
    }

    /** What was published last. The one method that any thread may call. */
    public View view() {
        return view;
    }
}
