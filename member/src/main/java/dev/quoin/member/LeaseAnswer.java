package dev.quoin.member;

import dev.quoin.store.Outcome;

/** Hears what became of an entry about leases that the {@link Lessor} has proposed: whether it was applied. */
record LeaseAnswer(Runnable applied, Runnable otherwise) implements Answer {
    @Override
    public void outcome(Outcome outcome) {
        (outcome instanceof Outcome.Refused ? otherwise : applied).run();
    }

    @Override
    public void failed(Failure failure) {
        otherwise.run();
    }
}
