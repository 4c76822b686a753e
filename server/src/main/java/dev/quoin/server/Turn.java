package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.member.Failure;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.Member;
import dev.quoin.member.Proposal;
import dev.quoin.net.Loop;
import dev.quoin.server.metrics.RequestCounts;

/**
 * What the hot calls of one turn of one event loop want of the member, handed over at its end in one go: all proposals as
 * one batch, all linearizable reads as one question, all questions about leases together. Belongs to its loop.
 */
final class Turn {
    /** A read that has passed its checks: what to do once the view is fresh, and if that is not to be. */
    interface Read {
        void ready();

        void failed(Failure failure);
    }

    private List<Proposal> proposals = new ArrayList<>();
    private @Nullable ReadRound reads;
    private List<LeaseQuestion> leaseQuestions = new ArrayList<>();

    /** The loop's own; made when first asked for. */
    static Turn of(Loop loop) {
        if (loop.attachment() instanceof Turn turn) {
            return turn;
        }
        Turn turn = new Turn();
        loop.attach(turn);
        return turn;
    }

    void propose(Proposal proposal) {
        proposals.add(proposal);
    }

    /** Returns the round that it is asked in. */
    ReadRound read(Read read) {
        ReadRound round = reads == null ? new ReadRound() : reads;
        reads = round;
        round.add(read);
        return round;
    }

    void ask(LeaseQuestion question) {
        leaseQuestions.add(question);
    }

    void end(Loop loop, Member member, LeaseDesk leases, RequestCounts counts) {
        if (!leaseQuestions.isEmpty()) {
            List<LeaseQuestion> batch = leaseQuestions;
            leaseQuestions = new ArrayList<>();
            leases.ask(batch);
        }
        if (!proposals.isEmpty()) {
            List<Proposal> batch = proposals;
            proposals = new ArrayList<>();
            member.propose(batch);
        }
        ReadRound round = reads;
        if (round != null) {
            reads = null;
            round.ask(loop, member, counts);
        }
    }
}
