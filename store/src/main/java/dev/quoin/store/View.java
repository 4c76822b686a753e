package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/** The store after one revision, for readers: never changes, and answers on any thread without waiting for anybody. */
public final class View {
    private final Reading reading;
    private final long compactedRevision;
    private final @Nullable Compaction compaction;
    private final List<KeyHash> hashes;
    private final List<AlarmMember> alarms;
    private final AuthView auth;

    View(Reading reading, long compactedRevision, @Nullable Compaction compaction, List<KeyHash> hashes,
            List<AlarmMember> alarms, AuthView auth) {
        this.reading = reading;
        this.compactedRevision = compactedRevision;
        this.compaction = compaction;
        this.hashes = hashes;
        this.alarms = alarms;
        this.auth = auth;
    }

    KeyIndex index() {
        return reading.index();
    }

    /** Where the records of this view lie. */
    public Records records() {
        return reading.records();
    }

    public long revision() {
        return reading.revision();
    }

    /** The revision of the last compaction, which can still be read itself; -1 if there was none. */
    public long compactedRevision() {
        return compactedRevision;
    }

    /** The compaction that is to be done next, or null if all are finished. After a restart it is taken up again. */
    public @Nullable Compaction compaction() {
        return compaction;
    }

    /** The hashes that compactions have left, the newest ten at most, by revision. */
    public List<KeyHash> hashes() {
        return hashes;
    }

    /** The hash of all that is there at a revision (0: the newest): known, to be computed, or refused. */
    public Hashing hash(long revision) {
        for (KeyHash known : hashes) {
            if (known.revision() == revision) {
                return new Hashing.Known(known);
            }
        }
        Refusal refusal = refusal(revision);
        if (refusal != null) {
            return new Hashing.Refused(refusal);
        }
        return HashWalk.at(this, revision == 0 ? reading.revision() : revision);
    }

    /**
     * Whether anybody may still ask for a record: of a key, whether its history has it at this position. Any other record
     * counts until an image takes its place.
     *
     * <p>A deletion may outlive its key in the index. Whoever drops the record of one must not be left with an older
     * record of the same key to restore from, or the key would be back.
     */
    public boolean refersTo(long position, long main, int sub, int kind, Bytes payload) {
        Bytes key;
        if (kind == Records.Kind.PUT.number()) {
            key = KeyValues.decode(payload).key();
        } else if (kind == Records.Kind.TOMBSTONE.number()) {
            key = payload;
        } else {
            return true;
        }
        History history = reading.index().find(key);
        int at = history == null ? History.ABSENT : history.find(main, sub);
        return history != null && at != History.ABSENT && history.position(at) == position;
    }

    /** How many keys exist. */
    public long keyCount() {
        return reading.index().liveCount();
    }

    /** How many keys of a range exist. */
    public long keyCount(KeyRange range) {
        return reading.index().count(range);
    }

    /** The alarms that are raised. */
    public List<AlarmMember> alarms() {
        return alarms;
    }

    /** Who may do what, at the same moment as all else here. */
    public AuthView auth() {
        return auth;
    }

    /** {@link Outcome.Ranged}, or {@link Outcome.Refused} if the revision is compacted or not there yet. */
    public Outcome range(Query query) {
        Refusal refusal = refusal(query.revision());
        return refusal != null ? new Outcome.Refused(refusal) : reading.range(query);
    }

    /** What {@link #range} would answer, before it is read: for answers of any size. */
    public Plan plan(Query query) {
        Refusal refusal = refusal(query.revision());
        return refusal != null ? new Plan.Refused(refusal) : reading.plan(query);
    }

    /**
     * What has happened to the keys of a range from a revision on, which is not before the last compaction; to be found in
     * steps.
     *
     * @param changesMax about how many changes may be kept at a time
     */
    public ChangeWalk changes(KeyRange range, long from, int changesMax) {
        return new ChangeWalk(this, range, from, changesMax);
    }

    private @Nullable Refusal refusal(long revision) {
        if (revision > reading.revision()) {
            return Refusal.FUTURE_REVISION;
        }
        return revision > 0 && revision < compactedRevision ? Refusal.COMPACTED : null;
    }

    /** The answer to a transaction that {@link Command.Txn#isReadOnly only reads}. */
    public Outcome read(Command.Txn txn) {
        Invariant.check(txn.isReadOnly(), "a view is asked to write");
        Decision decision = Decision.of(txn, reading);
        Refusal refusal = decision.refusal(reading, compactedRevision, Leases.NONE);
        if (refusal != null) {
            return new Outcome.Refused(refusal);
        }
        Transaction transaction = new Transaction(reading.index(), reading.records(), Leases.NONE, revision(),
                new ArrayList<>(0), true);
        return transaction.told(transaction.run(decision));
    }
}
