package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;

/** What the housekeeper does to the files that are full: checkpoints, rewriting, scrubbing. Owned by that one thread. */
final class Housekeeping {
    private final Disk disk;
    private final Path directory;
    private final Segments segments;
    private final Space space;
    private final RewritePolicy policy;
    private final Ledger ledger;

    /** Where the durable checkpoint stands; 0 if there is none. */
    private volatile long checkpointed;
    private @Nullable CheckpointWriter checkpoint;
    private @Nullable Rewrite rewrite;

    Housekeeping(Ledger ledger, Disk disk, Path directory, LedgerLimits limits, Segments segments, Space space,
            long checkpointed) {
        this.ledger = ledger;
        this.disk = disk;
        this.directory = directory;
        this.segments = segments;
        this.space = space;
        this.checkpointed = checkpointed;
        policy = new RewritePolicy(limits.segmentBytes());
    }

    boolean isDurable(long position) {
        return ledger.isDurable(position);
    }

    long appendedTo() {
        return ledger.committedTo();
    }

    // --- checkpoints ------------------------------------------------------------------------------------------------

    CheckpointWriter checkpoint(Mark mark) {
        Invariant.check(checkpoint == null, "a checkpoint is being written already");
        Invariant.check(mark.position() >= checkpointed, "a checkpoint before the last one");
        segments.all().forEach(file -> file.usage().beginCheckpoint());
        ledger.unflushedUsages().forEach(Usage::beginCheckpoint);
        CheckpointWriter writer = new CheckpointWriter(this, disk,
                disk.create(directory.resolve(FileName.CHECKPOINT + FileName.UNFINISHED)), mark);
        checkpoint = writer;
        return writer;
    }

    /** What the files before {@code mark} hold: what a ledger that starts there does not read. */
    List<CheckpointFormat.FileState> filesBefore(Mark mark) {
        Invariant.check(ledger.isDurable(mark.position()), "the ledger is not durable up to applied index %d",
                mark.commit().appliedIndex());
        List<CheckpointFormat.FileState> states = new ArrayList<>();
        for (LedgerFile file : segments.all()) {
            Usage usage = file.usage();
            if (file.last() < mark.segment()) {
                states.add(stateOf(file, file.length(), usage.records(), usage.recordBytes()));
            } else if (file.first() == mark.segment()) {
                states.add(stateOf(file, Format.offset(mark.position()), mark.records(), mark.recordBytes()));
            }
        }
        return states;
    }

    private static CheckpointFormat.FileState stateOf(LedgerFile file, long length, long records, long recordBytes) {
        Usage usage = file.usage();
        return new CheckpointFormat.FileState(file.first(), file.last(), length, records, recordBytes,
                Math.min(records, usage.deadRecordsAtCheckpoint()),
                Math.min(recordBytes, usage.deadBytesAtCheckpoint()));
    }

    void checkpointed(Mark mark, long bytes) {
        checkpointed = mark.position();
        space.checkpoint(bytes);
        checkpointEnded();
    }

    void checkpointEnded() {
        checkpoint = null;
    }

    /** What a ledger that is opened now must read again. */
    long replayBytes() {
        long bytes = 0;
        int from = Math.max(Format.segment(checkpointed), 1);
        long flushed = ledger.flushedTo();
        for (LedgerFile file : segments.all()) {
            if (file.first() >= from) {
                bytes += file.first() == Format.segment(flushed) ? Format.offset(flushed) : file.length();
            }
        }
        return bytes - Format.offset(checkpointed);
    }

    // --- giving space back ------------------------------------------------------------------------------------------

    @Nullable
    Rewrite nextRewrite(double minDeadShare, Liveness liveness) {
        Invariant.check(rewrite == null, "files are being rewritten already");
        int end = Format.segment(checkpointed);
        List<LedgerFile> candidates = segments.all().stream().filter(file -> file.last() < end).toList();
        List<LedgerFile> chosen = policy.choose(candidates, minDeadShare, space);
        if (chosen == null) {
            return null;
        }
        Rewrite begun = new Rewrite(this, disk, directory, chosen, liveness);
        rewrite = begun;
        return begun;
    }

    /** Lets readers find {@code packed} where they found {@code sources}, and counts from now on what it holds. */
    void replace(List<LedgerFile> sources, LedgerFile packed) {
        long length = 0;
        long live = 0;
        for (LedgerFile source : sources) {
            length += source.length();
            live += source.usage().liveBytes();
        }
        segments.put(packed);
        space.free(length - packed.length());
        space.bury(live - packed.usage().liveBytes());
    }

    void rewriteEnded() {
        rewrite = null;
    }

    /** Counts a record of a file as dead; its bytes, or 0 if it is gone or cannot be told. */
    long bury(long position, Usage usage, long length) {
        Rewrite running = rewrite;
        if (running != null && running.first() <= Format.segment(position)
                && Format.segment(position) <= running.last()) {
            running.forgotten(position);
        }
        long buried = usage.bury(length);
        space.bury(buried);
        return buried;
    }

    Scrub scrub(boolean isStill, Consumer<Damaged> onDamage) {
        return new Scrub(disk, directory, segments, isStill, onDamage);
    }

    /** What is under way is given up. */
    void close() {
        if (rewrite != null) {
            rewrite.abandon();
        }
        if (checkpoint != null) {
            checkpoint.abandon();
        }
    }
}
