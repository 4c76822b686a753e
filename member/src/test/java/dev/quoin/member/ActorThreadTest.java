package dev.quoin.member;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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
        ActorThread thread = ActorThread.alone("counting", actor, (where, why) -> {});
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
        ActorThread thread = ActorThread.alone("counting", actor, (where, why) -> {
            told.set(why);
            halted.countDown();
        });
        thread.start();

        actor.mailbox.put("break");

        assertThat(halted.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(told.get()).isInstanceOf(OutOfMemoryError.class);
        thread.stop();
    }

    /** Notes on which thread each turn is taken, and can be held up in one. */
    private static final class Noting implements Actor {
        private final Mailbox<String> mailbox = new Mailbox<>();
        private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
        private final AtomicInteger atOnce = new AtomicInteger();
        private final AtomicInteger atOnceMost = new AtomicInteger();
        private volatile long wanted = FOR_EVER;

        @Override
        public long turn() {
            atOnceMost.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
            for (String message : mailbox.take()) {
                seen.add(message + " on " + Thread.currentThread().getName());
                if (message.equals("again")) {
                    mailbox.put("from within");
                }
            }
            atOnce.decrementAndGet();
            return wanted;
        }

        @Override
        public Mailbox<String> mailbox() {
            return mailbox;
        }

        void awaitSeen(int messages) throws InterruptedException {
            for (int tries = 0; tries < 30_000 && seen.size() < messages; tries++) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
            assertThat(seen).hasSize(messages);
        }
    }

    @Test
    void whoeverSendsToAHelpedThreadTakesTheTurn() throws InterruptedException {
        Noting actor = new Noting();
        ActorThread thread = ActorThread.helped("noting", actor, (where, why) -> {});
        thread.start();
        String me = Thread.currentThread().getName();

        actor.mailbox.put("a");
        actor.mailbox.put("again");

        actor.awaitSeen(3);
        assertThat(actor.seen.subList(0, 2)).allMatch(seen -> seen.endsWith(" on " + me) || seen.endsWith("noting"));
        thread.stop();
        actor.mailbox.put("late");
        assertThat(actor.seen).as("no turn after the stop").hasSize(3);
    }

    @Test
    void aVirtualThreadLeavesTheTurnToTheOwner() throws InterruptedException {
        Noting actor = new Noting();
        ActorThread thread = ActorThread.helped("noting", actor, (where, why) -> {});
        thread.start();

        Thread.ofVirtual().name("virtual").start(() -> actor.mailbox.put("a")).join();

        actor.awaitSeen(1);
        assertThat(actor.seen).containsExactly("a on noting");
        thread.stop();
    }

    @Test
    void nothingIsLostAndNoTwoTurnsAreTakenAtOnceWhoeverHelps() throws InterruptedException {
        Noting actor = new Noting();
        ActorThread thread = ActorThread.helped("noting", actor, (where, why) -> {});
        thread.start();
        List<Thread> senders = new ArrayList<>();
        for (int sender = 0; sender < 4; sender++) {
            String name = "s" + sender + "-";
            senders.add(Thread.ofPlatform().start(() -> {
                for (int message = 0; message < 5_000; message++) {
                    actor.mailbox.put(name + message);
                }
            }));
        }
        for (Thread sender : senders) {
            sender.join();
        }

        actor.awaitSeen(20_000);
        assertThat(actor.atOnceMost).hasValue(1);
        for (int sender = 0; sender < 4; sender++) {
            String name = "s" + sender + "-";
            List<Integer> order = actor.seen.stream().filter(seen -> seen.startsWith(name))
                    .map(seen -> Integer.valueOf(seen.substring(name.length(), seen.indexOf(' ')))).toList();
            assertThat(order).as("what one thread sent, in its order").isSorted();
        }
        thread.stop();
    }

    /** The owner sleeps for as long as its own last turn said; a helper's turn may say something else. */
    @Test
    void theOwnerWakesWhenAHelpersTurnWantsThatSooner() throws InterruptedException {
        Noting actor = new Noting();
        CountDownLatch soon = new CountDownLatch(1);
        Actor counted = new Actor() {
            @Override
            public long turn() {
                boolean wasAsked = actor.wanted != FOR_EVER;
                long next = actor.turn();
                if (wasAsked && Thread.currentThread().getName().equals("noting") && actor.mailbox.isEmpty()) {
                    soon.countDown();
                    return FOR_EVER;
                }
                return next;
            }

            @Override
            public Mailbox<String> mailbox() {
                return actor.mailbox;
            }
        };
        ActorThread thread = ActorThread.helped("noting", counted, (where, why) -> {});
        thread.start();
        actor.mailbox.put("first");
        actor.awaitSeen(1);

        actor.wanted = TimeUnit.MILLISECONDS.toNanos(1);
        actor.mailbox.put("second");

        assertThat(soon.await(30, TimeUnit.SECONDS)).isTrue();
        thread.stop();
    }

    @Test
    void whateverEscapesAHelpersTurnHaltsTheMemberToo() throws InterruptedException {
        Counting actor = new Counting();
        List<Throwable> told = Collections.synchronizedList(new ArrayList<>());
        ActorThread thread = ActorThread.helped("counting", actor, (where, why) -> told.add(why));
        thread.start();

        actor.mailbox.put("break");
        thread.stop();
        actor.mailbox.put("a");

        assertThat(told).singleElement().isInstanceOf(OutOfMemoryError.class);
        assertThat(actor.seen).as("no turn after the fault").hasValue(0);
    }

    @Test
    void aNudgeBeforeTheWaitingIsNotLost() throws InterruptedException {
        Mailbox<String> mailbox = new Mailbox<>();
        mailbox.nudge();
        mailbox.await(TimeUnit.HOURS.toNanos(1)); // returns at once
        assertThat(mailbox.take()).isEmpty();
    }
}
