package dev.quoin.store;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * The answer to a command or a question. Every KeyValue in it is in its encoded form. The revision is the one that etcd
 * puts into the header of the same answer; inside a transaction it is that of the state the step left or saw.
 */
public sealed interface Outcome {
    /** {@code prev} is what was there before, if it was asked for and there was something. */
    record Put(long revision, @Nullable Bytes prev) implements Outcome {}

    /** {@code prevs} is what the deleted keys were, in key order, if it was asked for. */
    record Deleted(long revision, long count, List<Bytes> prevs) implements Outcome {}

    /**
     * What was found, in the order asked for.
     *
     * @param count how many keys the range holds, whatever limit and filter left of them
     * @param more whether the limit cut something off
     */
    record Ranged(long revision, List<Bytes> kvs, long count, boolean more) implements Outcome {}

    /**
     * One response for every step of the branch taken, in order.
     *
     * @param revision 0 in a transaction inside another, as etcd leaves that header empty
     */
    record Txned(long revision, boolean succeeded, List<Outcome> responses) implements Outcome {}

    /** History before the revision asked for is given up; {@code revision} is the store's. */
    record Compacted(long revision) implements Outcome {}

    /** {@code ttl} is what was granted, which may be more than was asked for. */
    record Granted(long revision, long id, long ttl) implements Outcome {}

    record Revoked(long revision) implements Outcome {}

    /** The alarms asked for, or the one that is raised now, or that is no longer. */
    record Alarms(long revision, List<AlarmMember> alarms) implements Outcome {}

    /** What came of a command about users and roles; never {@link AuthOutcome.Refused}, which becomes {@link Refused}. */
    record Auth(long revision, AuthOutcome outcome) implements Outcome {}

    /** Nothing was to be done to the keys. */
    record Nothing(long revision) implements Outcome {}

    /**
     * Done, but what it was to tell cannot be read; or not done at all, if that is what it depends on.
     *
     * @param reason what {@link Records#read} threw
     */
    record Unreadable(long revision, RuntimeException reason) implements Outcome {}

    /** Not done, and nothing changed. */
    record Refused(Refusal reason) implements Outcome {}
}
