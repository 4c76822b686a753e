package dev.quoin.member;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** The threads of the owners: what wakes them, what stops them, and what they do with a fault. */
class ActorThreadTest {
    private static final long FOR_EVER = Long.MAX_VALUE;

    /** Counts its messages, and breaks at the one that says so. */
    private static final class Counting implements Actor {
        private final Mailbox<String> mailbox = new Mailbox<>();
        private final AtomicInteger seen = new AtomicInteger();
        private final CountDownLatch three = new CountDownLatch(3);

        @Override
        public long turn() {
            for (String message : mailbox.take()) {
                if (message.equals("break")) {
                    throw new OutOfMemoryError("as if");
                }
                seen.incrementAndGet();
                three.countDown();
            }
            return FOR_EVER;
        }

        @Override
        public Mailbox<String> mailbox() {
            return mailbox;
        }
    }

    @Test
    void everyMessageIsATurnsAndStoppingWaitsForTheTurn() throws InterruptedException {
        Counting actor = new Counting();
        ActorThread thread = new ActorThread("counting", actor, (where, why) -> {});
        thread.start();
        actor.mailbox.put("a");
        actor.mailbox.put("b");
        actor.mailbox.put("c");
        assertThat(actor.three.await(30, TimeUnit.SECONDS)).isTrue();

        thread.stop();
        actor.mailbox.put("d");

        assertThat(actor.seen).as("no turn after the stop").hasValue(3);
        thread.stop();
    }

    @Test
    void whateverEscapesATurnHaltsTheMember() throws InterruptedException {
        Counting actor = new Counting();
        AtomicReference<Throwable> told = new AtomicReference<>();
        CountDownLatch halted = new CountDownLatch(1);
        ActorThread thread = new ActorThread("counting", actor, (where, why) -> {
            told.set(why);
            halted.countDown();
        });
        thread.start();

        actor.mailbox.put("break");

        assertThat(halted.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(told.get()).isInstanceOf(OutOfMemoryError.class);
        thread.stop();
    }

    @Test
    void aNudgeBeforeTheWaitingIsNotLost() throws InterruptedException {
        Mailbox<String> mailbox = new Mailbox<>();
        mailbox.nudge();
        mailbox.await(TimeUnit.HOURS.toNanos(1)); // returns at once
        assertThat(mailbox.take()).isEmpty();
    }
}
