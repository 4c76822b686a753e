package dev.quoin.store;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/** The store after one revision, for readers: never changes, and answers on any thread without waiting for anybody. */
public final class View {
    private final Reading reading;
    private final long compactedRevision;
    private final List<AlarmMember> alarms;

    View(KeyIndex frozen, Records records, long revision, long compactedRevision, List<AlarmMember> alarms) {
        this.reading = new Reading(frozen, records, revision);
        this.compactedRevision = compactedRevision;
        this.alarms = alarms;
    }

    /** The index behind it, for tests. */
    KeyIndex index() {
        return reading.index();
    }

    public long revision() {
        return reading.revision();
    }

    /** The revision of the last compaction, which can still be read itself; -1 if there was none. */
    public long compactedRevision() {
        return compactedRevision;
    }

    /** How many keys exist. */
    public long keyCount() {
        return reading.index().liveCount();
    }

    /** The alarms that are raised. */
    public List<AlarmMember> alarms() {
        return alarms;
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
        return new Transaction(reading.index(), reading.records(), Leases.NONE, revision(), true).run(decision);
    }
}
