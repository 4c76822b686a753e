package dev.quoin.server;

import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoWriter;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.net.StatusException;
import dev.quoin.store.Command;
import dev.quoin.store.Op;
import dev.quoin.store.Outcome;
import dev.quoin.store.Plan;
import dev.quoin.store.Query;
import dev.quoin.store.Refusal;
import dev.quoin.store.View;

/**
 * The answers to questions about many keys, planned before they are read: RangeResponse, TxnResponse of a transaction that
 * only reads, and the messages of a range that is streamed. The field numbers are those of {@link Answers}; a
 * RangeStreamResponse has its RangeResponse in field 1.
 */
final class ListAnswers {
    private final Answers answers;
    private final Views views;

    ListAnswers(Answers answers, Views views) {
        this.answers = answers;
        this.views = views;
    }

    SplicedAnswer range(View view, Query query, Lists.Share share) throws StatusException {
        return ranged(answers.header(view.revision()), view, query, share);
    }

    private SplicedAnswer ranged(Bytes header, View view, Query query, Lists.Share share) throws StatusException {
        Plan.Found plan = plan(view, query, share);
        return new SplicedAnswer().bytes(1, header).elements(2, listing(view, query, plan, 0, plan.size()))
                .numberIfSet(3, plan.more() ? 1 : 0).numberIfSet(4, plan.count());
    }

    /**
     * What the query finds.
     *
     * @throws StatusException if it is refused, if too much is planned already, or if a record it needs cannot be read
     */
    Plan.Found plan(View view, Query query, Lists.Share share) throws StatusException {
        try {
            return switch (view.plan(query)) {
                case Plan.Found found -> {
                    share.take(found.size());
                    yield found;
                }
                case Plan.Refused(Refusal reason) -> throw new StatusException(Errors.of(reason));
            };
        } catch (Damaged | Gone unreadable) {
            throw new StatusException(views.status(unreadable, Views.revision(view, query)));
        }
    }

    /** A part of what was found. */
    Listing listing(View view, Query query, Plan.Found plan, int from, int to) throws StatusException {
        return new Listing(views, Views.revision(view, query), plan, from, to);
    }

    /**
     * A transaction that only reads. Which branch is taken, and whether all of its reads are granted, is found by running it
     * with reads that only count; what the reads find is planned after that, on the same view.
     */
    SplicedAnswer txn(View view, Command.Txn txn, Lists.Share share) throws StatusException {
        Outcome.Txned decided = decide(view,
                new Command.Txn(txn.compares(), counting(txn.success()), counting(txn.failure())));
        SplicedAnswer answer = new SplicedAnswer().bytes(1, answers.header(view.revision()))
                .numberIfSet(2, decided.succeeded() ? 1 : 0);
        for (Op op : decided.succeeded() ? txn.success() : txn.failure()) {
            SplicedAnswer range = ranged(Answers.stepHeader(view.revision()), view, query(op), share);
            answer.message(3, new SplicedAnswer().message(1, range));
        }
        return answer;
    }

    private Outcome.Txned decide(View view, Command.Txn counting) throws StatusException {
        try {
            Outcome outcome = view.read(counting);
            if (outcome instanceof Outcome.Refused(Refusal reason)) {
                throw new StatusException(Errors.of(reason));
            }
            if (outcome instanceof Outcome.Txned decided) {
                return decided;
            }
            throw Invariant.violation("a transaction that only reads has the outcome %s", outcome);
        } catch (Damaged | Gone unreadable) {
            throw new StatusException(views.status(unreadable, view.revision()));
        }
    }

    private static List<Op> counting(List<Op> ops) {
        return ops.stream().<Op>map(op -> new Op.Range(query(op).withCountOnly())).toList();
    }

    private static Query query(Op op) {
        if (op instanceof Op.Range(Query query)) {
            return query;
        }
        throw Invariant.violation("a transaction that only reads holds %s", op);
    }

    /** A message of a stream that is not its last: keys, and nothing about them. */
    static SplicedAnswer chunk(Listing listing) {
        return new SplicedAnswer().message(1, new SplicedAnswer().elements(2, listing));
    }

    /** The last message of a stream, with what the answer as a whole is. */
    SplicedAnswer lastChunk(Plan.Found plan, Listing listing) {
        return new SplicedAnswer().message(1, new SplicedAnswer().bytes(1, answers.header(plan.revision()))
                .elements(2, listing).numberIfSet(3, plan.more() ? 1 : 0).numberIfSet(4, plan.count()));
    }

    /** How long etcd finds the RangeResponse of a chunk when it chooses the size of the next. */
    static long measuredBytes(long revision, Listing listing, boolean more) {
        return 3 + ProtoWriter.varintSize(revision) + listing.elementBytes() + (more ? 2 : 0);
    }
}
