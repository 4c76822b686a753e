package dev.quoin.store;

import java.util.List;
import java.util.NavigableMap;
import java.util.NavigableSet;

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
    private final Gate gate;
    private final Buckets buckets = new Buckets(this::appendBucket);
    private final Leases leases;
    private final Alarms alarms = new Alarms(buckets);
    private final KeyIndex index = KeyIndex.empty();
    private State state = State.RESTORING;
    private long revision = FIRST_REVISION;
    private long compactedRevision = NEVER_COMPACTED;

    /** Written by the owner, read by all: the write is what hands the frozen index over to other threads. */
    private volatile View view;

    /** @param minLeaseTtl seconds; a lease that asks for less gets these, on every member the same */
    public Store(Records records, long minLeaseTtl) {
        this(records, minLeaseTtl, Gate.OPEN);
    }

    Store(Records records, long minLeaseTtl, Gate gate) {
        this.records = records;
        this.gate = gate;
        this.leases = new Leases(buckets, minLeaseTtl);
        this.view = newView();
    }

    private View newView() {
        return new View(index.freeze(), records, revision, compactedRevision, alarms.raised());
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
            index.add(kv.key(), History.restored(kv.createRevision(), kv.version(), main, sub, position, kv.lease()));
            return;
        }
        History next = history.put(main, sub, position, kv.lease());
        int newest = next.newest();
        boolean continues = next.create(newest) == kv.createRevision() && next.version(newest) == kv.version();
        index.replace(kv.key(), continues
                ? next
                : History.restored(kv.createRevision(), kv.version(), main, sub, position, kv.lease()));
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
        leases.reload();
        alarms.reload();
        attachKeys();
        state = State.READY;
        publish();
    }

    private void attachKeys() {
        if (leases.isEmpty()) {
            return;
        }
        index.scan(KeyRange.from(Bytes.EMPTY), (key, history) -> {
            if (history.lease() != 0) {
                leases.attach(history.lease(), Bytes.of(key));
            }
            return true;
        });
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

    /** The lease, for the owner; null if it is not granted. */
    public @Nullable Lease lease(long id) {
        return leases.find(id);
    }

    /** All leases in the order of their ids, for the owner. */
    public List<Lease> leases() {
        return leases.all();
    }

    /** The keys that are attached to a lease, in their order; for the owner. Changes with the next command. */
    public NavigableSet<Bytes> leaseKeys(long id) {
        return leases.keys(id);
    }

    // ---- commands

    /** Does what the command says, for somebody who waits for the answer. */
    public Outcome apply(Command command, Caller caller) {
        return apply(command, caller, true);
    }

    public Outcome apply(Command command) {
        return apply(command, Caller.NONE);
    }

    /**
     * The same change for nobody: reads only what the change depends on. Of the outcome only revisions, counts of
     * deletions, branches and refusals are as {@link #apply} would give them.
     */
    public Outcome applyUnheard(Command command, Caller caller) {
        return apply(command, caller, false);
    }

    public Outcome applyUnheard(Command command) {
        return applyUnheard(command, Caller.NONE);
    }

    private Outcome apply(Command command, Caller caller, boolean heard) {
        Invariant.check(state == State.READY, "a command for a store that is not ready or has failed");
        state = State.APPLYING;
        Refusal refusal = alarms.refusal(command);
        if (refusal == null) {
            refusal = gate.refusal(command, caller);
        }
        Outcome outcome = refusal == null ? perform(command, heard) : new Outcome.Refused(refusal);
        state = State.READY;
        return outcome;
    }

    private Outcome perform(Command command, boolean heard) {
        return switch (command) {
            case Command.Put put -> put(put, heard);
            case Command.DeleteRange delete -> delete(delete, heard);
            case Command.Txn txn -> txn(txn, heard);
            case Command.Compact compact -> compact(compact.revision());
            case Command.LeaseGrant grant -> grant(grant);
            case Command.LeaseRevoke revoke -> revoke(revoke);
            case Command.LeaseCheckpoint checkpoint -> checkpoint(checkpoint);
            case Command.Alarm alarm -> new Outcome.Alarms(revision, alarms.apply(alarm));
            case Command.Nothing() -> new Outcome.Nothing(revision);
        };
    }

    private Transaction begin(boolean heard) {
        return new Transaction(index, records, leases, revision, heard);
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

    private Outcome grant(Command.LeaseGrant grant) {
        Refusal refusal = leases.refusal(grant);
        if (refusal != null) {
            return new Outcome.Refused(refusal);
        }
        return new Outcome.Granted(revision, grant.id(), leases.grant(grant).ttl());
    }

    private Outcome revoke(Command.LeaseRevoke revoke) {
        if (!leases.exists(revoke.id())) {
            return new Outcome.Refused(Refusal.LEASE_NOT_FOUND);
        }
        Transaction transaction = begin(false);
        transaction.revoke(revoke.id());
        revision = transaction.revision();
        leases.revoke(revoke.id());
        return new Outcome.Revoked(revision);
    }

    private Outcome checkpoint(Command.LeaseCheckpoint checkpoint) {
        checkpoint.remaining().forEach(one -> leases.checkpoint(one.id(), one.ttl()));
        return new Outcome.Nothing(revision);
    }

    private Reading now() {
        return new Reading(index, records, revision);
    }

    // ---- readers

    /** Lets readers see what has been applied. Costs as much as the next batch has to copy: call it once per batch. */
    public void publish() {
        Invariant.check(state == State.READY, "a store that is not ready or has failed is published");
        view = newView();
    }

    /** What was published last. The one method that any thread may call. */
    public View view() {
        return view;
    }
}
