package dev.quoin.raft;

/** Where a node's luck comes from: the shell's generator, or a seed. */
@FunctionalInterface
public interface Chance {
    /** A number from 0 to {@code bound - 1}. */
    int below(int bound);
}
