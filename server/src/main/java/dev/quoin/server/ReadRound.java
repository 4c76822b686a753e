package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.Phases;
import dev.quoin.member.Phases.Phase;
import dev.quoin.member.ReadAnswer;
import dev.quoin.net.Loop;
import dev.quoin.server.metrics.RequestCounts;

/**
 * The linearizable reads of one turn of a loop, which are one question. It hangs on each of its calls, and knows when it came
 * how far, for whoever asks why one of them took long; so the clock is read for a round, not for a read. Belongs to the
 * loop, but where it says otherwise.
 */
final class ReadRound {
    /** On calls that are content with what this member has. */
    static final ReadRound STALE = new ReadRound();

    private final List<Turn.Read> reads = new ArrayList<>();
    private long askedNanos;
    /** When it was known what had to be applied first. Set by a thread of the member before the loop hears of anything. */
    private volatile long agreedNanos;
    private long readyNanos;

    void add(Turn.Read read) {
        reads.add(read);
    }

    /** Asks for all of them. */
    void ask(Loop loop, Member member, RequestCounts counts) {
        askedNanos = System.nanoTime();
        member.read(new ReadAnswer() {
            @Override
            public void awaitsApplication() {
                agreedNanos = System.nanoTime();
            }

            @Override
            public void ready() {
                loop.execute(() -> answer(counts));
            }

            @Override
            public void failed(Failure failure) {
                loop.execute(() -> fail(failure, counts));
            }
        });
    }

    private void answer(RequestCounts counts) {
        readyNanos = System.nanoTime();
        reads.forEach(Turn.Read::ready);
        counts.read(reads.size(), System.nanoTime() - readyNanos);
        reads.clear(); // A call that goes on must not keep the others.
    }

    private void fail(Failure failure, RequestCounts counts) {
        readyNanos = System.nanoTime();
        reads.forEach(read -> {
            counts.readFailed(readyNanos - askedNanos);
            read.failed(failure);
        });
        reads.clear();
    }

    /**
     * Where the time of a call went that was among them.
     *
     * @param nanos how long it was open, until now
     */
    Phases phases(long nanos) {
        if (askedNanos == 0 || readyNanos == 0) {
            return Phases.NONE.with(Phase.SEND, nanos);
        }
        long sent = Math.max(0, System.nanoTime() - readyNanos);
        long agreed = agreedNanos == 0 ? readyNanos : agreedNanos;
        Phases known = Phases.NONE.with(Phase.PEER, agreed - askedNanos).with(Phase.APPLY, readyNanos - agreed)
                .with(Phase.SEND, sent);
        return known.with(Phase.QUEUE, nanos - known.sum());
    }
}
