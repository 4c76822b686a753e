package dev.quoin.disk.ledger;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * Which files are worth rewriting. Two aims, in this order: what is not in use stays a bounded share of all, and files do
 * not become many.
 *
 * <ul>
 * <li>A file is <b>due</b> if rewriting it gives back at least {@link Ledger#DEAD_SHARE} of it, or whatever less the caller
 * asks for. While the ledger takes more than {@value #TOTAL_TO_IN_USE} times what is in use and {@link #SLACK_BYTES}, {@value
 * #DEAD_SHARE_IN_NEED} will do. So once nothing is due, either the ledger is within that bound, or all its files before the
 * checkpoint are within 1/(1 - 0.05) of what they must take.
 * <li>The one with the largest such share comes first: it gives back most for what must be copied.
 * <li>Its neighbours come with it as long as all together fit into one segment, if they are due as well or so small that
 * they would be in the way: less than a quarter of a segment. So of two neighbours at most one is small, but for what is
 * due soon.
 * </ul>
 *
 * <p>Commits and seals are needed for replay only, so before the checkpoint they count as given back. What a table takes
 * does not, so nothing is rewritten for the sake of it.
 */
final class RewritePolicy {
    static final double TOTAL_TO_IN_USE = 1.25;
    static final long SLACK_BYTES = 64 << 20;
    static final double DEAD_SHARE_IN_NEED = 0.05;

    private final long segmentBytes;

    RewritePolicy(long segmentBytes) {
        this.segmentBytes = segmentBytes;
    }

    /** Neighbours to be rewritten into one file; null if nothing is due. {@code files} are those that may be. */
    @Nullable
    List<LedgerFile> choose(List<LedgerFile> files, double minDeadShare, Space space) {
        double due = minDeadShare;
        if (space.total() > TOTAL_TO_IN_USE * space.inUse() + SLACK_BYTES) {
            due = Math.min(due, DEAD_SHARE_IN_NEED);
        }
        int best = -1;
        for (int i = 0; i < files.size(); i++) {
            double share = deadShare(files.get(i));
            if (!files.get(i).isLeftAlone() && share > 0 && share >= due
                    && (best < 0 || share > deadShare(files.get(best)))) {
                best = i;
            }
        }
        return best < 0 ? null : withNeighbours(files, best, due);
    }

    private List<LedgerFile> withNeighbours(List<LedgerFile> files, int chosen, double due) {
        int from = chosen;
        int to = chosen + 1;
        long bytes = liveBytes(files.get(chosen));
        while (from > 0 && joins(files.get(from - 1), files.get(from), bytes, due)) {
            from--;
            bytes += liveBytes(files.get(from));
        }
        while (to < files.size() && joins(files.get(to), files.get(to - 1), bytes, due)) {
            bytes += liveBytes(files.get(to));
            to++;
        }
        return files.subList(from, to);
    }

    private boolean joins(LedgerFile file, LedgerFile neighbour, long bytes, double due) {
        boolean adjoins = file.last() + 1 == neighbour.first() || neighbour.last() + 1 == file.first();
        boolean fits = bytes + liveBytes(file) <= segmentBytes;
        boolean worthIt = liveBytes(file) < segmentBytes / 4 || deadShare(file) >= due;
        return adjoins && fits && worthIt && !file.isLeftAlone();
    }

    private static long liveBytes(LedgerFile file) {
        return file.usage().liveBytes();
    }

    /** The share of the file that rewriting it gives back. */
    static double deadShare(LedgerFile file) {
        Usage usage = file.usage();
        long rewritten = PackedFormat.fileBytes(usage.liveRecords(), usage.liveBytes());
        return file.length() <= 0 ? 0 : Math.max(0, file.length() - rewritten) / (double) file.length();
    }
}
