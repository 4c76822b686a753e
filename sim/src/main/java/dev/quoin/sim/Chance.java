package dev.quoin.sim;

import java.util.List;
import java.util.random.RandomGenerator;

/** The luck of one run, all of it from its seed. SplitMix, written out: it must be the same on every Java. */
final class Chance implements RandomGenerator {
    private long state;

    Chance(long seed) {
        state = seed;
    }

    /** Luck of its own for somebody, that does not change when others use more or less of theirs. */
    Chance split() {
        return new Chance(nextLong());
    }

    @Override
    public long nextLong() {
        state += 0x9e3779b97f4a7c15L;
        long mixed = (state ^ (state >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }

    /** From 0 to {@code bound - 1}. */
    int below(int bound) {
        return (int) (((nextLong() >>> 33) * bound) >>> 31);
    }

    long below(long bound) {
        return Math.floorMod(nextLong(), bound);
    }

    /** From {@code least} to {@code most}, both included. */
    long between(long least, long most) {
        return least + below(most - least + 1);
    }

    boolean oneIn(int n) {
        return below(n) == 0;
    }

    boolean percent(int n) {
        return below(100) < n;
    }

    <T> T one(List<T> of) {
        return of.get(below(of.size()));
    }

    /** Mostly short, at times long. */
    long around(long mean) {
        return (long) (-StrictMath.log(1 - (nextLong() >>> 11) * 0x1.0p-53) * mean);
    }
}
