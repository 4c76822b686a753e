package dev.quoin.member;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import dev.quoin.member.RaftLoop.Message.Read;
import dev.quoin.member.TestCluster.Answered;

import static org.assertj.core.api.Assertions.assertThat;

/** What an answer to a question about an index lets go, and what it does not. */
class WaitingReadsTest {
    private static final long LATER = Duration.ofMillis(600).toNanos();
    private static final long DEADLINE = Duration.ofSeconds(7).toNanos();

    private final WaitingReads waiting = new WaitingReads(new AtomicLong()::incrementAndGet);

    private static List<Read> reads(Answered... answers) {
        List<Read> reads = new ArrayList<>();
        for (Answered answer : answers) {
            reads.add(new Read(answer, DEADLINE));
        }
        return reads;
    }

    @Test
    void anAnswerThatComesAfterTheNextQuestionIsAsGood() {
        List<Read> reads = reads(new Answered());
        long first = waiting.ask(reads, 0);
        assertThat(waiting.isDue(LATER)).isTrue();
        long second = waiting.askAgain(LATER);
        assertThat(waiting.answered(first)).containsExactly(reads);
        assertThat(waiting.answered(second)).isEmpty();
        assertThat(waiting.isEmpty()).isTrue();
    }

    @Test
    void anAnswerLetsNoReadGoThatIsYoungerThanItsQuestion() {
        List<Read> old = reads(new Answered());
        List<Read> young = reads(new Answered());
        long first = waiting.ask(old, 0);
        waiting.add(young, 1);
        assertThat(waiting.answered(first)).containsExactly(old);
        assertThat(waiting.answered(waiting.askAgain(LATER))).containsExactly(young);
    }

    @Test
    void anAnswerToWhatNobodyAskedLetsNothingGo() {
        waiting.ask(reads(new Answered()), 0);
        assertThat(waiting.answered(99)).isEmpty();
        assertThat(waiting.isEmpty()).isFalse();
    }

    @Test
    void whoWaitsTooLongIsToldOnce() {
        Answered late = new Answered();
        long question = waiting.ask(reads(late), 0);
        waiting.sweep(DEADLINE + 1);
        assertThat(late.failure).isEqualTo(Failure.TIMEOUT);
        assertThat(waiting.isEmpty()).isTrue();
        assertThat(waiting.answered(question)).isEmpty();
    }
}
