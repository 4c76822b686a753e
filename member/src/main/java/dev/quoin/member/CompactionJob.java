package dev.quoin.member;

import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.store.Compaction;
import dev.quoin.store.CompactionWalk;
import dev.quoin.store.HashWalk;
import dev.quoin.store.KeyHash;
import dev.quoin.store.View;

/**
 * Takes out what a compaction has given up: first the hash of what is there, if it is to be kept; then slice after slice
 * out of the store, by the apply loop, each then counted as dead in the ledger; at last the apply loop notes that it is
 * done. Cut short anywhere, it is begun anew at the next start, without the hash.
 */
final class CompactionJob implements Job {
    /** Looking at a key or reading a record costs much less than taking a key out. */
    private static final int VISITS_PER_KEY = 16;
    private static final int RECORDS_PER_KEY = 4;

    private final ApplyLoop applyLoop;
    private final Ledger ledger;
    private final HousekeepingLimits limits;
    private final Consumer<Damaged> onDamage;
    private final Compaction compaction;
    private final CompactionWalk walk;
    private @Nullable HashWalk hashing;
    /** Asked of the apply loop, and not answered yet. */
    private CompactionWalk.@Nullable Slice underWay;
    private boolean isWalkedThrough;
    private boolean isNoted;

    /** @param view published after the compaction was applied, with nothing of it taken out yet */
    CompactionJob(View view, Compaction compaction, ApplyLoop applyLoop, Ledger ledger, HousekeepingLimits limits,
            Consumer<Damaged> onDamage) {
        this.compaction = compaction;
        this.applyLoop = applyLoop;
        this.ledger = ledger;
        this.limits = limits;
        this.onDamage = onDamage;
        walk = new CompactionWalk(view, compaction.revision());
        hashing = compaction.hashed() ? HashWalk.of(view, compaction) : null;
    }

    @Override
    public long step() {
        HashWalk hash = hashing;
        if (hash != null) {
            hash(hash);
            return limits.pauseNanos();
        }
        if (isNoted) {
            return DONE;
        }
        if (underWay != null || isWalkedThrough) {
            return UNTIL_A_MESSAGE;
        }
        CompactionWalk.Slice slice = walk.next(limits.sliceKeys(), VISITS_PER_KEY * limits.sliceKeys());
        underWay = slice;
        applyLoop.mailbox().put(new ApplyLoop.Message.Housekeeping(ledger, new ApplyLoop.Chore.TakeOut(slice)));
        return UNTIL_A_MESSAGE;
    }

    private void hash(HashWalk walking) {
        try {
            KeyHash result = walking.step(RECORDS_PER_KEY * limits.sliceKeys());
            if (result != null) {
                hashing = null;
                applyLoop.mailbox()
                        .put(new ApplyLoop.Message.Housekeeping(ledger, new ApplyLoop.Chore.KeepHash(result)));
            }
        } catch (Damaged damaged) {
            // Then this member has no hash of it, as one that was down at the time.
            hashing = null;
            onDamage.accept(damaged);
        }
    }

    @Override
    public void hear(Housekeeper.Reply reply) {
        switch (reply) {
            case Housekeeper.Reply.TakenOut(CompactionWalk.Slice slice) -> {
                underWay = null;
                long[] dead = slice.dead().toArray();
                ledger.forget(dead, dead.length);
                if (slice.isLast()) {
                    isWalkedThrough = true;
                    applyLoop.mailbox().put(new ApplyLoop.Message.Housekeeping(ledger,
                            new ApplyLoop.Chore.NoteCompaction(compaction.revision())));
                }
            }
            case Housekeeper.Reply.CompactionNoted() -> isNoted = true;
            case Housekeeper.Reply.Captured _ -> throw Housekeeper.unexpected(reply);
        }
    }

    @Override
    public void abandon() {}
}
