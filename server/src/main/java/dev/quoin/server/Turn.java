package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.member.Failure;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.Member;
import dev.quoin.member.Proposal;
import dev.quoin.member.ReadAnswer;
import dev.quoin.net.Loop;

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
    private List<Read> reads = new ArrayList<>();
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

    void read(Read read) {
        reads.add(read);
    }

    void ask(LeaseQuestion question) {
        leaseQuestions.add(question);
    }

    void end(Loop loop, Member member, LeaseDesk leases) {
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
        if (!reads.isEmpty()) {
            List<Read> batch = reads;
            reads = new ArrayList<>();
            member.read(new ReadAnswer() {
                @Override
                public void ready() {
                    loop.execute(() -> batch.forEach(Read::ready));
                }

                @Override
                public void failed(Failure failure) {
                    loop.execute(() -> batch.forEach(read -> read.failed(failure)));
                }
            });
        }
    }
}
