package dev.quoin.raft;

import java.util.List;

/**
 * What a node knows when it starts: its state and log as the disk kept them.
 *
 * @param id this node
 * @param hardState as last written; its commit may lag behind {@code applied}, because a commit alone is not synced
 * @param configuration the members in force at {@code applied}
 * @param baseIndex the entry before the first of {@code entries}; 0 for a log that starts at its beginning
 * @param baseTerm its term
 * @param entries the log behind it, without gaps
 * @param applied the last entry whose effects the state machine kept; never below {@code baseIndex}
 */
public record Restart(long id, HardState hardState, ConfState configuration, long baseIndex, long baseTerm,
        List<Entry> entries, long applied) {}
