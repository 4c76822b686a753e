package dev.quoin.member;

import java.util.function.Consumer;
import java.util.function.LongConsumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.ledger.CheckpointWriter;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.store.Image;

/**
 * Saves the state of the store as of the end of a batch, so that a restart reads only what comes after it, and what lies
 * before it may be rewritten.
 */
final class CheckpointJob implements Job {
    /** Writing a key down costs much less than taking one out of the store. */
    private static final int KEYS_PER_SLICE = 16;

    private final Ledger ledger;
    private final ApplyLoop applyLoop;
    private final HousekeepingLimits limits;
    private final LongConsumer onSaved;
    private final Consumer<DiskFailure> onRefusal;
    private boolean isAsked;
    private Housekeeper.Reply.@Nullable Captured captured;
    private @Nullable CheckpointWriter writer;
    private Image.@Nullable Writer image;
    private boolean isWritten;

    /**
     * @param onSaved told how many bytes it takes
     * @param onRefusal told if the disk did not take it; nothing has happened then
     */
    CheckpointJob(Ledger ledger, ApplyLoop applyLoop, HousekeepingLimits limits, LongConsumer onSaved,
            Consumer<DiskFailure> onRefusal) {
        this.ledger = ledger;
        this.applyLoop = applyLoop;
        this.limits = limits;
        this.onSaved = onSaved;
        this.onRefusal = onRefusal;
    }

    @Override
    public long step() {
        if (!isAsked) {
            isAsked = true;
            applyLoop.mailbox().put(new ApplyLoop.Message.Housekeeping(ledger, new ApplyLoop.Chore.Capture()));
        }
        return captured == null ? UNTIL_A_MESSAGE : write(captured);
    }

    private long write(Housekeeper.Reply.Captured state) {
        try {
            CheckpointWriter file = writer == null ? begin(state) : writer;
            writer = file;
            Image.Writer writing = image == null ? state.state().writer(file::add) : image;
            image = writing;
            isWritten = isWritten || writing.step(KEYS_PER_SLICE * limits.sliceKeys());
            // What it stands on must be durable first; the ledger's writer sees to that several times a second.
            if (isWritten && ledger.isDurable(state.mark())) {
                file.finish();
                onSaved.accept(file.bytes());
                return DONE;
            }
            return limits.pauseNanos();
        } catch (DiskFailure failure) {
            Housekeeper.endUnlessRefused(failure);
            abandon();
            onRefusal.accept(failure);
            return DONE;
        }
    }

    /** What the image takes the place of counts as dead from now on, and in the checkpoint: nobody could tell it again. */
    private CheckpointWriter begin(Housekeeper.Reply.Captured state) {
        long[] replaced = state.state().replaced().toArray();
        ledger.forget(replaced, replaced.length);
        return ledger.checkpoint(state.mark());
    }

    @Override
    public void hear(Housekeeper.Reply reply) {
        if (reply instanceof Housekeeper.Reply.Captured state) {
            captured = state;
        } else {
            throw Housekeeper.unexpected(reply);
        }
    }

    @Override
    public void abandon() {
        CheckpointWriter begun = writer;
        if (begun != null) {
            begun.abandon();
        }
    }
}
