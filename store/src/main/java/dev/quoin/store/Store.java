package dev.quoin.store;

import java.util.ArrayList;
import java.util.Comparator;
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
 * <p>Before the first command the store is rebuilt: {@link #restoreImage} for every block of an image, if there is one,
 * {@link #restore} for every record behind it, in the order they were appended, then {@link #restored}.
 *
 * <p>A command is applied wholly or refused wholly. If a record cannot be read on which its effect depends, it throws what
 * the records threw, and has done nothing. If only the answer needs the record, it is applied, and the answer says so
 * ({@link Outcome.Unreadable}). Should it fail in the middle all the same, the store is finished: it applies and publishes
 * nothing more, and what has been published stays as it was.
 */
public final class Store {
    private static final long FIRST_REVISION = 1;
    private static final Bytes SCHEDULED_COMPACTION = Bytes.utf8("scheduledCompactRev");
    private static final Bytes FINISHED_COMPACTION = Bytes.utf8("finishedCompactRev");
    private static final int HASHES_MAX = 10;

    private enum State {
        RESTORING,
        READY,
        /** Within a command; left in this state by one that failed. */
        APPLYING
    }

    private final Records records;
    private final Buckets buckets = new Buckets(this::appendBucket);
    private final Leases leases;
    private final Alarms alarms = new Alarms(buckets);
    private final Auth auth = new Auth(buckets);
    private KeyIndex index = KeyIndex.empty();
    private State state = State.RESTORING;
    /** The writes of the command at hand, once there may be some. */
    private @Nullable Transaction underWay;
    private long revision = FIRST_REVISION;
    private long compactedRevision = Revisions.NONE;
    /** The compaction to be done next. Those that came after it wait behind it as one: the last, compactedRevision. */
    private @Nullable Compaction compaction;
    /** By revision, never changed, only replaced. */
    private List<KeyHash> hashes = List.of();
    /** The records since the last image that are not about keys: the next image takes their place. */
    private CompactionWalk.Positions passing = new CompactionWalk.Positions();
    /** While an image is being taken up. */
    private @Nullable ImageReader image;
    /** The compaction whose leftovers are not in the image that the store began with. */
    private long takenOut = Revisions.NONE;

    /** What commands have done to keys since it was published last. */
    private List<Change> changes = new ArrayList<>();

    /** What commands have done since it was asked for last. */
    private Tally tally = Tally.NONE;

    /** Written by the owner, read by all: the write is what hands the frozen index over to other threads. */
    private volatile View view;

    /** @param minLeaseTtl seconds; a lease that asks for less gets these, on every member the same */
    public Store(Records records, long minLeaseTtl) {
        this.records = records;
        this.leases = new Leases(buckets, minLeaseTtl);
        this.view = newView();
    }

    private View newView() {
        return new View(new Reading(index.freeze(), records, revision), compactedRevision, compaction, hashes,
                alarms.raised(), auth.view());
    }

    // ---- recovery

    /** Takes up one block of an {@link Image}, in their order and before any record: only those behind it may follow. */
    public void restoreImage(int kind, Bytes payload) {
        Invariant.check(state == State.RESTORING && index.isEmpty() && revision == FIRST_REVISION,
                "a block of kind %d of an image for a store that is not empty", kind);
        if (image == null) {
            image = new ImageReader(buckets);
        }
        image.block(kind, payload);
    }

    private void finishImage() {
        if (image != null) {
            index = image.index();
            revision = image.revision();
            takenOut = Revisions.main(buckets.get(Bucket.META, FINISHED_COMPACTION));
            image = null;
        }
    }

    /**
     * Takes up one record. Records of superseded revisions may be missing, as a compaction may have given up any of them:
     * what a put says of its own history outweighs what was seen before it.
     */
    public void restore(long position, long main, int sub, int kind, Bytes payload) {
        Invariant.check(state == State.RESTORING, "a record of revision %d comes after the last", main);
        finishImage();
        if (kind == Records.Kind.PUT.number()) {
            restorePut(KeyValues.decode(payload), main, sub, position);
        } else if (kind == Records.Kind.TOMBSTONE.number()) {
            restoreTombstone(payload, main, sub, position);
        } else if (kind == Records.Kind.COMPACTION.number()) {
            buckets.set(Bucket.META, SCHEDULED_COMPACTION, Revisions.encode(new ProtoReader(payload).varint()));
            passing.add(position);
        } else if (kind == Records.Kind.BUCKET.number()) {
            buckets.restore(payload);
            passing.add(position);
        } else {
            throw Invariant.violation("a record of revision %d has the unknown kind %d", main, kind);
        }
        revision = Math.max(revision, main);
    }

    private void restorePut(KeyValues.KeyValue kv, long main, int sub, long position) {
        // etcdutl's restore may leave a revision without a key, only for its number.
        Invariant.check(kv.modRevision() == main || kv.key().isEmpty(),
                "a record of revision %d says it is of revision %d", main,
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

    /**
     * All records have been taken up: from now on commands are applied. Publishes.
     *
     * @return the records that were taken up although nobody can ask for them any more: an earlier life has said so of them,
     *        and whoever counts them does not know it
     */
    public CompactionWalk.Positions restored() {
        Invariant.check(state == State.RESTORING, "the store has been restored before");
        finishImage();
        CompactionWalk.Positions dead = resumeCompaction();
        leases.reload();
        alarms.reload();
        auth.reload();
        attachKeys();
        state = State.READY;
        publish();
        return dead;
    }

    private CompactionWalk.Positions resumeCompaction() {
        long scheduled = Revisions.main(buckets.get(Bucket.META, SCHEDULED_COMPACTION));
        long finished = Revisions.main(buckets.get(Bucket.META, FINISHED_COMPACTION));
        compactedRevision = Math.max(scheduled, finished);
        // All changes up to the compaction may have been given up.
        revision = Math.max(revision, compactedRevision);
        if (compactedRevision > finished) {
            compaction = new Compaction(compactedRevision, finished, false);
        }
        return finished > takenOut ? takeOutAgain(finished) : new CompactionWalk.Positions();
    }

    /** Records are there for longer than the index wants them: what was taken out once has come back with them. */
    private CompactionWalk.Positions takeOutAgain(long finished) {
        CompactionWalk.Positions dead = new CompactionWalk.Positions();
        List<Bytes> shrinking = new ArrayList<>();
        index.scan(KeyRange.from(Bytes.EMPTY), (key, history) -> {
            int kept = history.firstKept(finished);
            if (kept > 0) {
                shrinking.add(Bytes.of(key));
                dead.addFirst(kept, history);
            }
            return true;
        });
        shrinking.forEach(key -> compactKey(key, finished));
        return dead;
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
        passing.add(records.append(revision, 0, Records.Kind.BUCKET.number(), payload));
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
            refusal = auth.view().check(caller, command, leases::keys);
        }
        if (refusal != null) {
            state = State.READY;
            return new Outcome.Refused(refusal);
        }
        underWay = null;
        try {
            Outcome outcome = perform(command, heard);
            state = State.READY;
            return outcome;
        } catch (RuntimeException unreadable) {
            Transaction begun = underWay;
            state = begun == null || begun.isUntouched() ? State.READY : state;
            throw unreadable;
        }
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
            case Command.Auth(AuthCommand change) -> auth(change);
            case Command.Nothing() -> new Outcome.Nothing(revision);
        };
    }

    private Transaction begin(boolean heard) {
        Transaction begun = new Transaction(index, records, leases, revision, changes, heard);
        underWay = begun;
        return begun;
    }

    private Outcome put(Command.Put put, boolean heard) {
        if (put.lease() != 0 && !leases.exists(put.lease())) {
            return new Outcome.Refused(Refusal.LEASE_NOT_FOUND);
        }
        if ((put.ignoreValue() || put.ignoreLease()) && !now().isLive(put.key())) {
            return new Outcome.Refused(Refusal.KEY_NOT_FOUND);
        }
        Transaction transaction = begin(heard);
        Outcome.Put outcome = transaction.put(put);
        revision = outcome.revision();
        tally = tally.plus(transaction.tally());
        return transaction.told(outcome);
    }

    private Outcome delete(Command.DeleteRange delete, boolean heard) {
        Transaction transaction = begin(heard);
        Outcome.Deleted outcome = transaction.delete(delete);
        revision = outcome.revision();
        tally = tally.plus(transaction.tally());
        return transaction.told(outcome);
    }

    private Outcome txn(Command.Txn txn, boolean heard) {
        Reading before = now();
        Decision decision = Decision.of(txn, before);
        Refusal refusal = decision.refusal(before, compactedRevision, leases);
        if (refusal != null) {
            return new Outcome.Refused(refusal);
        }
        Transaction transaction = begin(heard);
        Outcome.Txned outcome = transaction.run(decision);
        revision = outcome.revision();
        tally = tally.plus(transaction.tally());
        return transaction.told(outcome);
    }

    private Outcome compact(long at) {
        if (at <= compactedRevision) {
            return new Outcome.Refused(Refusal.COMPACTED);
        }
        if (at > revision) {
            return new Outcome.Refused(Refusal.FUTURE_REVISION);
        }
        // Compactions wait in one place: what comes behind the next one leaves no hash, and is done together. Nor does one
        // at 0, which gives up nothing: who asks for the hash at 0 means now.
        if (compaction == null) {
            compaction = new Compaction(at, compactedRevision, at > 0);
        }
        compactedRevision = at;
        buckets.set(Bucket.META, SCHEDULED_COMPACTION, Revisions.encode(at));
        ProtoWriter payload = new ProtoWriter(0);
        payload.varint(at);
        passing.add(records.append(revision, 0, Records.Kind.COMPACTION.number(), Bytes.of(payload.toByteArray())));
        return new Outcome.Compacted(revision);
    }

    private void compactKey(Bytes key, long at) {
        History history = index.find(key);
        if (history == null) {
            return;
        }
        History left = history.compact(at);
        if (left == null) {
            index.remove(key);
        } else if (left != history) {
            index.replace(key, left);
        }
    }

    /** Takes out what a {@link CompactionWalk} has found. Nobody can notice, but that memory is free. */
    public void compactKeys(CompactionWalk.Slice slice) {
        Invariant.check(state == State.READY && slice.revision() <= compactedRevision,
                "a compaction at %d in a store that is not ready or was compacted at %d", slice.revision(),
                compactedRevision);
        slice.keys().forEach(key -> compactKey(key, slice.revision()));
    }

    /** The last slice of a compaction has been taken out: it need not be taken up again after a restart. */
    public void compactionFinished(long at) {
        Invariant.check(state == State.READY && compaction != null && at >= compaction.revision()
                && at <= compactedRevision, "the compaction at %d is finished, which nobody has begun", at);
        buckets.put(Bucket.META, FINISHED_COMPACTION, Revisions.encode(at));
        compaction = compactedRevision > at ? new Compaction(compactedRevision, at, false) : null;
    }

    /** Keeps the hash that was computed for a compaction, for those who will ask for it. The newest ten are kept. */
    public void keepHash(KeyHash hash) {
        List<KeyHash> kept = new ArrayList<>(hashes);
        kept.add(hash);
        kept.sort(Comparator.comparingLong(KeyHash::revision));
        hashes = List.copyOf(kept.subList(Math.max(0, kept.size() - HASHES_MAX), kept.size()));
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
        tally = tally.plus(transaction.tally());
        leases.revoke(revoke.id());
        return new Outcome.Revoked(revision);
    }

    private Outcome checkpoint(Command.LeaseCheckpoint checkpoint) {
        checkpoint.remaining().forEach(one -> leases.checkpoint(one.id(), one.ttl()));
        return new Outcome.Nothing(revision);
    }

    private Outcome auth(AuthCommand command) {
        AuthOutcome outcome = auth.apply(command);
        return outcome instanceof AuthOutcome.Refused(Refusal reason)
                ? new Outcome.Refused(reason)
                : new Outcome.Auth(revision, outcome);
    }

    private Reading now() {
        return new Reading(index, records, revision);
    }

    /**
     * All that is known now except what lies in records, to be written out elsewhere; between two batches. Keys and
     * histories are not copied, but everything in buckets is: some 20 ms of work for a million leases.
     */
    public Image capture() {
        Invariant.check(state == State.READY, "a store that is not ready or has failed is captured");
        Image captured = new Image(index.freeze(), revision, buckets.copy(), passing);
        passing = new CompactionWalk.Positions();
        return captured;
    }

    /**
     * All that is known now, records included, to be read elsewhere; between two batches. As cheap as {@link #capture}, and
     * takes the place of nothing: what it refers to must be kept for as long as it is read.
     */
    public Contents contents() {
        Invariant.check(state == State.READY, "a store that is not ready or has failed is read");
        return new Contents(revision, index.freeze(), records, buckets.copy());
    }

    /** What commands have done since this was called before; for the owner. */
    public Tally takeTally() {
        Tally taken = tally;
        tally = Tally.NONE;
        return taken;
    }

    // ---- readers

    /**
     * Lets readers see what has been applied. Costs as much as the next batch has to copy: call it once per batch.
     *
     * @return what has happened to keys since it was published before, in order
     */
    public List<Change> publish() {
        Invariant.check(state == State.READY, "a store that is not ready or has failed is published");
        view = newView();
        if (changes.isEmpty()) {
            return List.of();
        }
        List<Change> published = changes;
        changes = new ArrayList<>();
        return published;
    }

    /** What was published last. The one method that any thread may call. */
    public View view() {
        return view;
    }
}
