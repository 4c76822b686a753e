package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * What a node asks of the world: the effects of one step, in the order in which they are to be performed; and over all
 * steps, what its disk was asked to keep and has not acknowledged.
 *
 * <p>A message may be <em>sent</em>, which is at once, or <em>promised</em>: then it says something that must survive a
 * crash, a vote or entries that are held, and leaves only when everything that the node had decided by the end of that
 * step is on stable storage.
 */
final class Outbox {
    private final RaftLog log;
    private final Writes writes = new Writes();
    private HardState askedState;
    private long askedIndex;

    // Of this step.
    private List<Effect> effects = new ArrayList<>();
    private final List<Message> promises = new ArrayList<>();
    private @Nullable SnapshotMeta newSnapshot;

    /** All of {@code log}, and {@code onDisk}, is on disk. */
    Outbox(RaftLog log, HardState onDisk) {
        this.log = log;
        askedState = onDisk;
        askedIndex = log.lastIndex();
    }

    void add(Effect effect) {
        effects.add(effect);
    }

    void note(Event event) {
        effects.add(new Effect.Noted(event));
    }

    void send(Message message) {
        effects.add(new Effect.Send(message));
    }

    void promise(Message message) {
        promises.add(message);
    }

    /** The log has been cut off before {@code index}: what was asked for from there on is void. */
    void truncated(long index) {
        writes.truncated(index);
        askedIndex = Math.min(askedIndex, index - 1);
    }

    /** The log has been replaced by the snapshot. */
    void restored(SnapshotMeta snapshot) {
        writes.truncated(1);
        askedIndex = snapshot.index();
        newSnapshot = snapshot;
    }

    /** The next write that {@code ticket} acknowledges. */
    Writes.@Nullable Write acknowledgedBy(long ticket) {
        return writes.takeUpTo(ticket);
    }

    /** Messages that are promised and not sent, oldest first. */
    List<Message> waitingPromises() {
        return writes.waitingMessages();
    }

    /** Ends the step of a node in this term with this vote: asks for what is to be written, and to be applied. */
    void finish(long term, long vote) {
        persist(term, vote);
        List<Entry> ready = log.handOver();
        if (!ready.isEmpty()) {
            effects.add(new Effect.Commit(ready));
        }
    }

    /** The effects of the step that has ended. */
    List<Effect> take() {
        List<Effect> taken = effects;
        effects = new ArrayList<>();
        return taken;
    }

    private void persist(long term, long vote) {
        boolean mustSync = askedIndex < log.lastIndex() || newSnapshot != null || term != askedState.term()
                || vote != askedState.vote();
        if (!mustSync && log.committedIndex() == askedState.commit()) {
            keepPromises(null);
            return;
        }
        askedState = new HardState(term, vote, log.committedIndex());
        List<Entry> entries = log.after(askedIndex);
        Writes.Write write = writes.begin(mustSync, askedState, newSnapshot, log.lastIndex());
        effects.add(new Effect.Persist(write.ticket(), newSnapshot, entries, askedState, mustSync));
        askedIndex = log.lastIndex();
        newSnapshot = null;
        // A commit index alone need not be on disk before anybody hears of what is.
        keepPromises(mustSync ? write : null);
    }

    /** They wait for {@code now}, or for the last write before that must be on stable storage, or for none. */
    private void keepPromises(Writes.@Nullable Write now) {
        if (promises.isEmpty()) {
            return;
        }
        Writes.Write after = now != null ? now : writes.lastSynced();
        if (after == null) {
            promises.forEach(this::send);
        } else {
            after.messages().addAll(promises);
        }
        promises.clear();
    }
}
