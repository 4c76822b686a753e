package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.base.Bytes;
import dev.quoin.member.Requests;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.store.Command;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.Records;
import dev.quoin.store.Store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Places in queues, over a store that stands for the log: who is at the front, who waits, and what wakes whom. */
class PlacesTest {
    private static final int PATIENCE_SECONDS = 20;
    private static final Bytes NAME = Bytes.utf8("jobs");
    private final StatusException lost = new StatusException(Status.Code.UNKNOWN, "lost");

    private final List<Bytes> payloads = new ArrayList<>();
    private final Store store = new Store(new Records() {
        @Override
        public long append(long main, int sub, int kind, Bytes payload) {
            payloads.add(payload);
            return payloads.size() - 1L;
        }

        @Override
        public Bytes read(long position) {
            return payloads.get((int) position);
        }

        @Override
        public int length(long position) {
            return payloads.get((int) position).length();
        }
    }, 2);
    /** Who has subscribed to what; what is applied tells them, as the feed of changes does. */
    private final List<Subscribed> subscribed = new ArrayList<>();
    private final AtomicInteger refusals = new AtomicInteger();
    /** What may not be read. */
    private final Set<KeyRange> forbidden = ConcurrentHashMap.newKeySet();
    private final Places places = new Places(new Places.Log() {
        @Override
        public Outcome.Txned txn(TxnRequest request) throws StatusException {
            return PlacesTest.this.txn(request);
        }

        @Override
        public Outcome.Txned takeBack(TxnRequest request) throws StatusException {
            return PlacesTest.this.txn(request);
        }

        @Override
        public void checkRead(KeyRange range) throws StatusException {
            if (forbidden.contains(range)) {
                throw new StatusException(Status.Code.PERMISSION_DENIED, "etcdserver: permission denied");
            }
        }

        @Override
        public void checkWatch(KeyRange range) throws StatusException {
            checkRead(range);
        }
    }, new Views(store::view), this::subscribe);

    private record Subscribed(List<KeyRange> ranges, Nudge nudge) {}

    @BeforeEach
    void open() throws Exception {
        store.restored();
        for (long lease : new long[]{1, 2, 3, 255, -255}) {
            apply(new Command.LeaseGrant(lease, 60));
        }
    }

    private synchronized Places.Subscription subscribe(List<KeyRange> ranges, Nudge nudge) {
        Subscribed one = new Subscribed(ranges, nudge);
        subscribed.add(one);
        return () -> {
            synchronized (this) {
                subscribed.remove(one);
            }
        };
    }

    private synchronized List<KeyRange> watched() {
        return subscribed.stream().flatMap(one -> one.ranges.stream()).toList();
    }

    private Outcome.Txned txn(TxnRequest request) throws StatusException {
        if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw new StatusException(Status.Code.UNAVAILABLE, "etcdserver: request timed out");
        }
        return (Outcome.Txned) apply(Requests.txn(Bytes.of(request.toByteArray())));
    }

    private synchronized Outcome apply(Command command) {
        Outcome outcome = store.apply(command);
        store.publish();
        subscribed.forEach(one -> one.nudge.give());
        return outcome;
    }

    private void delete(Places.Place place) {
        apply(new Command.DeleteRange(KeyRange.single(place.key()), false));
    }

    private Places.Place take(long lease) throws Exception {
        return places.take(NAME, lease, Bytes.EMPTY);
    }

    /** Waits for the front on a thread of its own, until it waits or is done. */
    private CompletableFuture<Long> await(Places.Place place, AtomicBoolean over, Nudge nudge) throws Exception {
        CompletableFuture<Long> front = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                front.complete(places.awaitFront(over::get, place, nudge, lost));
            } catch (StatusException | InterruptedException failed) {
                front.completeExceptionally(failed);
            }
        });
        while (!front.isDone() && !watched().contains(KeyRange.single(place.key()))) {
            Thread.sleep(1);
        }
        return front;
    }

    private CompletableFuture<Long> await(Places.Place place) throws Exception {
        return await(place, new AtomicBoolean(), new Nudge());
    }

    private static long get(CompletableFuture<Long> front) throws Exception {
        return front.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void aPlaceIsNamedAfterItsLeaseAsGoWritesNumbers() throws Exception {
        assertThat(take(255).key()).isEqualTo(Bytes.utf8("jobs/ff"));
        assertThat(take(-255).key()).isEqualTo(Bytes.utf8("jobs/-ff"));
        assertThat(Places.key(Places.queue(Bytes.EMPTY), Long.MIN_VALUE)).isEqualTo(Bytes.utf8("/-8000000000000000"));
        assertThat(Places.queue(NAME)).isEqualTo(new KeyRange(Bytes.utf8("jobs/"), Bytes.utf8("jobs0")));
    }

    @Test
    void theFirstIsAtTheFrontAtOnceAndTheOthersInTheOrderInWhichTheyCame() throws Exception {
        Places.Place one = take(3);
        Places.Place two = take(1);
        Places.Place three = take(2);
        assertThat(get(await(one))).isEqualTo(store.view().revision());
        CompletableFuture<Long> second = await(two);
        CompletableFuture<Long> third = await(three);
        delete(one);
        assertThat(get(second)).isEqualTo(store.view().revision());
        assertThat(third.isDone()).isFalse();
        delete(two);
        assertThat(get(third)).isEqualTo(store.view().revision());
        assertThat(watched()).as("nobody listens any more").isEmpty();
    }

    @Test
    void whoWaitsListensToItsOwnKeyAndTheOneBefore() throws Exception {
        Places.Place one = take(1);
        Places.Place two = take(2);
        Places.Place three = take(3);
        CompletableFuture<Long> third = await(three);
        assertThat(watched()).containsExactly(KeyRange.single(three.key()), KeyRange.single(two.key()));
        delete(two);
        while (!watched().contains(KeyRange.single(one.key()))) {
            Thread.sleep(1);
        }
        assertThat(third.isDone()).isFalse();
        delete(one);
        get(third);
    }

    @Test
    void aWaiterWhoseKeyGoesIsToldAtOnce() throws Exception {
        take(1);
        Places.Place two = take(2);
        CompletableFuture<Long> second = await(two);
        apply(new Command.LeaseRevoke(2));
        assertThatThrownBy(() -> get(second)).isInstanceOf(ExecutionException.class).hasCause(lost);
    }

    /** The key is there, and it is not the one that has waited: whoever owns it stands behind those who came between. */
    @Test
    void aKeyThatWasCreatedAnewIsAnotherPlace() throws Exception {
        Places.Place one = take(1);
        Places.Place two = take(2);
        Places.Place three = take(3);
        delete(two);
        Places.Place again = take(2);
        assertThat(again.created()).isGreaterThan(three.created());
        delete(one);
        assertThatThrownBy(() -> get(await(two))).isInstanceOf(ExecutionException.class).hasCause(lost);
        get(await(three));
        assertThat(await(again).isDone()).isFalse();
        delete(three);
    }

    @Test
    void theSameLeaseHasTheSamePlace() throws Exception {
        Places.Place one = places.take(NAME, 1, Bytes.utf8("a"));
        Places.Place again = places.take(NAME, 1, Bytes.utf8("b"));
        assertThat(one.found()).isNull();
        assertThat(again.found()).isEqualTo(Bytes.utf8("a"));
        assertThat(again.created()).isEqualTo(one.created());
        get(await(again));
    }

    @Test
    void whoMayNotReadTheQueueTakesNoPlaceAndLearnsNothingOfOthers() throws Exception {
        Places.Place one = take(1);
        Places.Place two = take(2);
        forbidden.add(Places.queue(NAME));
        assertThatThrownBy(() -> take(3)).isInstanceOf(StatusException.class)
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> places.front(store.view(), Places.queue(NAME))).hasMessageContaining("denied");
        assertThatThrownBy(() -> places.awaitFront(() -> false, two, new Nudge(), lost))
                .hasMessageContaining("permission denied");
        assertThat(store.view().revision()).isEqualTo(two.created());
        places.leave(one);
        assertThat(store.view().revision()).isEqualTo(two.created() + 1);
    }

    @Test
    void aWaitEndsWhenNobodyAsksAnyMore() throws Exception {
        take(1);
        AtomicBoolean over = new AtomicBoolean();
        Nudge nudge = new Nudge();
        CompletableFuture<Long> second = await(take(2), over, nudge);
        over.set(true);
        nudge.give();
        assertThatThrownBy(() -> get(second)).cause().isInstanceOfSatisfying(StatusException.class,
                ended -> assertThat(ended.status()).isEqualTo(Errors.CANCELLED));
    }

    @Test
    void whoLeavesTakesItsOwnKeyAndNoOther() throws Exception {
        Places.Place one = take(1);
        delete(one);
        Places.Place again = take(1);
        places.leave(one);
        get(await(again));
        refusals.set(2);
        places.leave(again);
        assertThat(places.front(store.view(), again.queue())).isNull();
    }
}
