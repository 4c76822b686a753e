package dev.quoin.member;

import java.util.function.Consumer;

import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.ledger.Rewrite;

/** Rewrites files of the ledger without their dead records. */
final class RewriteJob implements Job {
    private final Rewrite rewrite;
    private final HousekeepingLimits limits;
    private final Consumer<DiskFailure> onRefusal;

    /** @param onRefusal told if the disk did not take the new file; nothing has happened then */
    RewriteJob(Rewrite rewrite, HousekeepingLimits limits, Consumer<DiskFailure> onRefusal) {
        this.rewrite = rewrite;
        this.limits = limits;
        this.onRefusal = onRefusal;
    }

    @Override
    public long step() {
        try {
            return rewrite.step(limits.stepBytes()) ? DONE : limits.pauseNanos();
        } catch (DiskFailure failure) {
            Housekeeper.endUnlessRefused(failure);
            rewrite.abandon();
            onRefusal.accept(failure);
            return DONE;
        }
    }

    /** Gives it up: the files stay as they are. */
    @Override
    public void abandon() {
        rewrite.abandon();
    }

    @Override
    public void hear(Housekeeper.Reply reply) {
        throw Housekeeper.unexpected(reply);
    }
}
