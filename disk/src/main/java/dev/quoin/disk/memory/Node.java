package dev.quoin.disk.memory;

import java.util.random.RandomGenerator;

/** What a name in a directory stands for. */
sealed interface Node permits Inode, Directory {
    /** What is left of it after losing power. */
    Node afterCrash(RandomGenerator random);

    /** The same thing again, with what is not durable yet. */
    Node copy();
}
