package dev.quoin.server;

import java.util.function.Predicate;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.net.StatusException;
import dev.quoin.store.Plan;

/**
 * KeyValues of an answer that are known and measured, and not held: the numbers from {@code from} to {@code to} of a plan.
 * They are read one at a time when they are given. Belongs to one thread.
 */
final class Listing {
    private final Views views;
    private final long revision;
    private final Plan.Found plan;
    private final int from;
    private final int to;
    private final long elementBytes;

    /**
     * Measures.
     *
     * @param revision the one that the plan is about
     * @throws StatusException if a record cannot be read
     */
    Listing(Views views, long revision, Plan.Found plan, int from, int to) throws StatusException {
        this.views = views;
        this.revision = revision;
        this.plan = plan;
        this.from = from;
        this.to = to;
        long bytes = 0;
        try {
            for (int number = from; number < to; number++) {
                int length = plan.length(number);
                bytes += 1L + ProtoWriter.varintSize(length) + length;
            }
        } catch (Damaged | Gone unreadable) {
            throw new StatusException(views.status(unreadable, revision));
        }
        elementBytes = bytes;
    }

    /** How many KeyValues it gives. */
    int size() {
        return to - from;
    }

    /** How many bytes they take as elements of a repeated field whose tag has one byte: tag, length and message each. */
    long elementBytes() {
        return elementBytes;
    }

    /** The first of them, as a listing of its own. */
    Listing first(int size) throws StatusException {
        return new Listing(views, revision, plan, from, from + size);
    }

    /**
     * Gives the encoded KeyValues in order, until {@code taker} says false. Each time the same ones.
     *
     * @throws StatusException if a record cannot be read
     */
    void forEach(Predicate<Bytes> taker) throws StatusException {
        try {
            for (int number = from; number < to; number++) {
                if (!taker.test(plan.kv(number))) {
                    return;
                }
            }
        } catch (Damaged | Gone unreadable) {
            throw new StatusException(views.status(unreadable, revision));
        }
    }
}
