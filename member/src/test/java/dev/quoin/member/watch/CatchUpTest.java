package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import org.junit.jupiter.api.Test;

import dev.quoin.store.Command;
import dev.quoin.store.KeyRange;

import static org.assertj.core.api.Assertions.assertThat;

class CatchUpTest {
    private static final WatchLimits LIMITS = new WatchLimits(1 << 20, 256 << 10, 64 << 10, 1_000, 1 << 20, 100_000, 2,
            8,
            256, 10_000, 100);

    private static WatchedStore history(int revisions) {
        WatchedStore store = new WatchedStore(LIMITS);
        for (int at = 0; at < revisions; at += 100) {
            List<Command> batch = new ArrayList<>();
            for (int in = 0; in < 100; in++) {
                batch.add(WatchedStore.put("p/" + (at + in) % 700, "v" + (at + in)));
            }
            store.applyUnnoted(batch);
        }
        return store;
    }

    /** A hundred watchers of one prefix, each a little further back than the one before, on threads of their own. */
    @Test
    void watchersThatComeBackShareTheirWalk() throws InterruptedException {
        WatchedStore store = history(60_000);
        Walks walks = new Walks(LIMITS);
        KeyRange prefix = WatchedStore.prefix("p/");
        CountDownLatch done = new CountDownLatch(100);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (int watcher = 0; watcher < 100; watcher++) {
            long from = store.revision() - 50_000 + 10L * watcher;
            Thread.ofVirtual().start(() -> {
                try {
                    assertThat(walks.find(prefix, from, store.view()).from()).isLessThanOrEqualTo(from);
                } catch (Throwable wrong) {
                    failure.set(wrong);
                }
                done.countDown();
            });
        }
        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(failure.get()).isNull();
        assertThat(walks.made()).isLessThanOrEqualTo(3);
    }

    @Test
    void aWalkIsBoundedAndGoesOnWhereItEnded() throws InterruptedException {
        WatchLimits small = new WatchLimits(1, 256 << 10, 64 << 10, 1_000, 1 << 20, 500, 2, 8, 256, 10_000, 100);
        WatchedStore store = history(5_000);
        CatchUp catchUp = new CatchUp(new ChangeFeed(1, store.revision()), store::view, small);
        long next = 2;
        List<Long> told = new ArrayList<>();
        while (next <= store.revision()) {
            CatchUp.Slice slice = catchUp
                    .slice(new CatchUp.Wanted(WatchedStore.prefix("p/"), next, true, WatchOptions.NONE));
            assertThat(slice).isInstanceOfSatisfying(CatchUp.Slice.Told.class, one -> {
                assertThat(one.events().count()).isBetween(1, 500);
                WatchHubTest.changes(one.events()).forEach(change -> told.add(change.revision()));
            });
            next = ((CatchUp.Slice.Told) slice).next();
        }
        assertThat(told).hasSize(5_000).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void aRevisionLargerThanAWalkIsToldWhole() throws InterruptedException {
        WatchedStore store = history(1_400);
        store.apply(WatchedStore.deletePrefix("p/"));
        WatchLimits small = new WatchLimits(1, 256 << 10, 64 << 10, 10, 1_000, 50, 2, 8, 256, 10_000, 100);
        CatchUp catchUp = new CatchUp(new ChangeFeed(1, store.revision()), store::view, small);
        CatchUp.Slice slice = catchUp.slice(
                new CatchUp.Wanted(WatchedStore.prefix("p/"), store.revision(), true, WatchOptions.NONE));
        assertThat(slice).isInstanceOfSatisfying(CatchUp.Slice.Told.class, told -> {
            assertThat(told.events().count()).isEqualTo(700);
            assertThat(told.next()).isEqualTo(store.revision() + 1);
        });
    }

    /** Only what it looks at: a small range costs no more for lying far back. */
    @Test
    void oneKeyReadsOneKey() throws InterruptedException {
        WatchedStore store = history(7_000);
        CatchUp catchUp = new CatchUp(new ChangeFeed(1, store.revision()), store::view, LIMITS);
        long before = store.records().reads();
        CatchUp.Slice slice = catchUp
                .slice(new CatchUp.Wanted(WatchedStore.key("p/42"), 2, true, WatchOptions.NONE));
        assertThat(slice).isInstanceOfSatisfying(CatchUp.Slice.Told.class,
                told -> assertThat(told.events().count()).isEqualTo(10));
        assertThat(store.records().reads() - before).isLessThanOrEqualTo(30);
    }

    /** While nobody watches, nothing is kept for anybody. */
    @Test
    void aFeedWithoutListenersHoldsNothing() {
        WatchedStore store = history(1_000);
        assertThat(store.watches.feed().heldBytes()).isZero();
        AtomicInteger woken = new AtomicInteger();
        Watches.Waking waking = store.watches.wake(KeyRange.everything(), woken::incrementAndGet);
        store.apply(WatchedStore.put("a", "1"));
        assertThat(store.watches.feed().heldBytes()).isPositive();
        assertThat(woken).hasValue(1);
        waking.close();
        store.apply(WatchedStore.put("a", "2"));
        assertThat(woken).as("nobody is woken who has left").hasValue(1);
        assertThat(store.watches.feed().heldBytes()).isZero();
    }
}
