package dev.quoin.member;

import dev.quoin.store.Command;
import dev.quoin.store.Outcome;

/**
 * A request that took long to be applied.
 *
 * @param id of the request, as its entry has it
 * @param nanos from when its turn came until it had changed the store
 */
public record SlowApply(long id, Command command, Outcome outcome, long nanos) {}
