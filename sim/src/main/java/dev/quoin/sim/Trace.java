package dev.quoin.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

/** What happened, as one number that two runs can be compared by; and the last of it in words. */
final class Trace {
    private static final int KEPT = 400;

    private record Line(long atNanos, String host, String what, @Nullable Object detail) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%14.6f s %-4s %s%s", atNanos / 1e9, host, what,
                    detail == null ? "" : " " + detail);
        }
    }

    private final boolean loud;
    private final Line[] ring = new Line[KEPT];
    private int next;
    private long hash = 0x9e3779b97f4a7c15L;

    Trace(boolean loud) {
        this.loud = loud;
    }

    /** Something worth reading. */
    void note(long atNanos, String host, String what, @Nullable Object detail) {
        mix(atNanos);
        mix(what.hashCode());
        Line line = new Line(atNanos, host, what, detail);
        ring[next] = line;
        next = (next + 1) % KEPT;
        if (loud) {
            System.out.println(line);
        }
    }

    /** Something that only has to be the same again. */
    void mix(long value) {
        long mixed = (hash ^ value) * 0xff51afd7ed558ccdL;
        hash = mixed ^ (mixed >>> 32);
    }

    long hash() {
        return hash;
    }

    List<String> last(int count) {
        List<String> lines = new ArrayList<>();
        for (int back = Math.min(count, KEPT); back > 0; back--) {
            Line line = ring[Math.floorMod(next - back, KEPT)];
            if (line != null) {
                lines.add(line.toString());
            }
        }
        return lines;
    }
}
