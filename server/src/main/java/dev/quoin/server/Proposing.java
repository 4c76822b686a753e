package dev.quoin.server;

import java.util.function.Consumer;

import dev.quoin.base.Bytes;
import dev.quoin.member.Answer;
import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.Phases;
import dev.quoin.member.Proposal;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.store.Caller;
import dev.quoin.store.Outcome;

/**
 * How a hot call becomes an entry of the log: permitted, handed over with all others of its turn, and answered by callback.
 *
 * @param requestBytesMax the largest entry
 */
record Proposing(Member member, Access access, int requestBytesMax) {
    /** On the call's loop. {@code whenApplied} is told what became of it; what is refused or fails ends the call. */
    void propose(Call call, Requests.Kind kind, Bytes message, Access.Word word, Access.Check check,
            Consumer<Outcome> whenApplied) {
        access.decide(call, word, check, (view, caller) -> propose(call, kind, message, caller, whenApplied));
    }

    private void propose(Call call, Requests.Kind kind, Bytes message, Caller caller, Consumer<Outcome> whenApplied) {
        Proposal proposal = member.prepare(kind, message, caller, new Answer() {
            @Override
            public void slow(Phases phases) {
                call.attach(phases);
            }

            @Override
            public void outcome(Outcome outcome) {
                whenApplied.accept(outcome);
            }

            @Override
            public void failed(Failure failure) {
                call.finish(Errors.of(failure));
            }
        });
        if (proposal.data().length() > requestBytesMax) {
            call.finish(Errors.REQUEST_TOO_LARGE);
            return;
        }
        Turn.of(call.loop()).propose(proposal);
    }
}
