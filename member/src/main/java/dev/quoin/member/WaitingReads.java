package dev.quoin.member;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Linearizable reads that do not know yet what has to be applied before them. Those that came together are a round, and a
 * leader is asked once for it. The question or its answer may be lost, so what waits is asked for again, all of it together
 * and each time under a fresh id: a question never covers reads that are younger than it, and whichever of its answers
 * comes first is good. Owned by the raft loop.
 */
final class WaitingReads {
    /** As etcd's readIndexRetryTime. */
    private static final long RETRY_NANOS = Duration.ofMillis(500).toNanos();

    /** Reads that came together. Each is itself, whatever it holds. */
    private static final class Round {
        private final List<RaftLoop.Message.Read> reads;

        Round(List<RaftLoop.Message.Read> reads) {
            this.reads = reads;
        }
    }

    private final LongSupplier ids;
    /** In the order in which they came. */
    private final Set<Round> rounds = new LinkedHashSet<>();
    /** What was asked for which rounds, by the id of the question. */
    private final Map<Long, List<Round>> questions = new LinkedHashMap<>();
    private long askedNanos;

    WaitingReads(LongSupplier ids) {
        this.ids = ids;
    }

    /** Adds a round, and makes the question for it. */
    long ask(List<RaftLoop.Message.Read> reads, long nowNanos) {
        return question(List.of(round(reads, nowNanos)));
    }

    /** Adds a round for which nobody can be asked yet. */
    void add(List<RaftLoop.Message.Read> reads, long nowNanos) {
        round(reads, nowNanos);
    }

    private Round round(List<RaftLoop.Message.Read> reads, long nowNanos) {
        if (rounds.isEmpty()) {
            askedNanos = nowNanos;
        }
        Round round = new Round(reads);
        rounds.add(round);
        return round;
    }

    private long question(List<Round> together) {
        long id = ids.getAsLong();
        questions.put(id, together);
        return id;
    }

    /** Whether what waits should be asked for again. */
    boolean isDue(long nowNanos) {
        return !rounds.isEmpty() && nowNanos - askedNanos >= RETRY_NANOS;
    }

    boolean isEmpty() {
        return rounds.isEmpty();
    }

    /** Makes one question for all that waits. */
    long askAgain(long nowNanos) {
        askedNanos = nowNanos;
        return question(List.copyOf(rounds));
    }

    /** The reads that may go on now that this question is answered; an unknown one, or one answered otherwise, has none. */
    List<List<RaftLoop.Message.Read>> answered(long id) {
        List<List<RaftLoop.Message.Read>> ready = new ArrayList<>();
        for (Round round : questions.getOrDefault(id, List.of())) {
            if (rounds.remove(round)) {
                ready.add(round.reads);
            }
        }
        questions.remove(id);
        return ready;
    }

    /** Fails those whose time is over, says how many, and forgets questions that nobody waits for. */
    int sweep(long nowNanos) {
        int before = waiting();
        rounds.forEach(round -> round.reads.removeIf(read -> read.failIfLate(nowNanos)));
        int late = before - waiting();
        rounds.removeIf(round -> round.reads.isEmpty());
        questions.values().removeIf(asked -> asked.stream().noneMatch(rounds::contains));
        return late;
    }

    private int waiting() {
        return rounds.stream().mapToInt(round -> round.reads.size()).sum();
    }

    void failAll(Failure failure) {
        rounds.forEach(round -> round.reads.forEach(read -> read.answer().failed(failure)));
        rounds.clear();
        questions.clear();
    }
}
