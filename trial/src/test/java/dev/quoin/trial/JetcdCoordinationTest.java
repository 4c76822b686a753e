package dev.quoin.trial;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.Election;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.Lease;
import io.etcd.jetcd.Lock;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.common.exception.CompactedException;
import io.etcd.jetcd.election.CampaignResponse;
import io.etcd.jetcd.election.LeaderKey;
import io.etcd.jetcd.election.LeaderResponse;
import io.etcd.jetcd.election.NoLeaderException;
import io.etcd.jetcd.election.NotLeaderException;
import io.etcd.jetcd.lease.LeaseKeepAliveResponse;
import io.etcd.jetcd.lease.LeaseTimeToLiveResponse;
import io.etcd.jetcd.lock.LockResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.LeaseOption;
import io.etcd.jetcd.options.PutOption;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.support.CloseableClient;
import io.etcd.jetcd.watch.WatchEvent;
import io.etcd.jetcd.watch.WatchResponse;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** An unmodified jetcd watches, leases, locks and elects as it does with etcd. */
@Tag("interop")
class JetcdCoordinationTest {
    private static final int PATIENCE_SECONDS = 20;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path home;

    @SuppressWarnings("NullAway.Init")
    private static ServerProcess server;
    @SuppressWarnings("NullAway.Init")
    private static Client client;
    @SuppressWarnings("NullAway.Init")
    private static KV kv;
    @SuppressWarnings("NullAway.Init")
    private static Lease leases;
    @SuppressWarnings("NullAway.Init")
    private static Lock locks;

    @BeforeAll
    static void start() throws Exception {
        server = ServerProcess.started(home);
        client = Client.builder().endpoints(server.clientUrl()).build();
        kv = client.getKVClient();
        leases = client.getLeaseClient();
        locks = client.getLockClient();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static ByteSequence bytes(String text) {
        return ByteSequence.from(text, StandardCharsets.UTF_8);
    }

    private static <T> T await(CompletableFuture<T> answer) throws Exception {
        return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    private static <T> T next(BlockingQueue<T> told) throws Exception {
        T next = told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertThat(next).as("told within %d s", PATIENCE_SECONDS).isNotNull();
        return next;
    }

    private static long grant(long seconds) throws Exception {
        return await(leases.grant(seconds)).getID();
    }

    /** What a watch is told, one event after the other; an error ends what waits for the next. */
    private static final class Told implements AutoCloseable {
        private final BlockingQueue<Object> told = new LinkedBlockingQueue<>();
        private final CountDownLatch created = new CountDownLatch(1);
        private final Watch.Watcher watcher;

        Told(String key, WatchOption.Builder option) throws Exception {
            watcher = client.getWatchClient().watch(bytes(key), option.withCreateNotify(true).build(),
                    Watch.listener(this::onNext, told::add));
            assertThat(created.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("the watch is created").isTrue();
        }

        private void onNext(WatchResponse response) {
            if (response.isCreatedNotify()) {
                created.countDown();
            }
            told.addAll(response.getEvents());
            if (response.isProgressNotify()) {
                told.add(response.getHeader().getRevision());
            }
        }

        String next() throws Exception {
            Object next = JetcdCoordinationTest.next(told);
            if (!(next instanceof WatchEvent event)) {
                return next.toString();
            }
            String before = event.getPrevKV().getKey().isEmpty() ? "" : " was " + event.getPrevKV().getValue();
            return event.getEventType() + " " + event.getKeyValue().getKey() + "=" + event.getKeyValue().getValue()
                    + before;
        }

        @Override
        public void close() {
            watcher.close();
        }
    }

    @Test
    void watchesAPrefixWithWhatWasThereBefore() throws Exception {
        try (Told told = new Told("w/", WatchOption.builder().isPrefix(true).withPrevKV(true))) {
            await(kv.put(bytes("w/a"), bytes("1")));
            await(kv.put(bytes("x"), bytes("no")));
            await(kv.put(bytes("w/a"), bytes("2")));
            await(kv.delete(bytes("w/a")));
            assertThat(List.of(told.next(), told.next(), told.next())).containsExactly("PUT w/a=1",
                    "PUT w/a=2 was 1", "DELETE w/a= was 2");
        }
    }

    @Test
    void watchesFromTheFutureAndThePastWithFilters() throws Exception {
        long first = await(kv.put(bytes("f"), bytes("1"))).getHeader().getRevision();
        await(kv.delete(bytes("f")));
        await(kv.put(bytes("f"), bytes("2")));
        try (Told puts = new Told("f", WatchOption.builder().withRevision(first).withNoDelete(true));
                Told deletions = new Told("f", WatchOption.builder().withRevision(first).withNoPut(true))) {
            await(kv.delete(bytes("f")));
            assertThat(List.of(puts.next(), puts.next())).containsExactly("PUT f=1", "PUT f=2");
            assertThat(List.of(deletions.next(), deletions.next())).containsExactly("DELETE f=", "DELETE f=");
        }
    }

    @Test
    void aWatchFromWhatIsCompactedIsToldSo() throws Exception {
        long first = await(kv.put(bytes("c"), bytes("1"))).getHeader().getRevision();
        long second = await(kv.put(bytes("c"), bytes("2"))).getHeader().getRevision();
        await(kv.compact(second));
        CompletableFuture<Throwable> failed = new CompletableFuture<>();
        try (Watch.Watcher watcher = client.getWatchClient().watch(bytes("c"),
                WatchOption.builder().withRevision(first).build(), Watch.listener(response -> {}, failed::complete))) {
            assertThat(await(failed)).isInstanceOfSatisfying(CompactedException.class,
                    compacted -> assertThat(compacted.getCompactedRevision()).isEqualTo(second));
            assertThat(watcher.isClosed()).isTrue();
        }
    }

    @Test
    void aLeaseTakesItsKeysWithIt() throws Exception {
        long lease = grant(60);
        await(kv.put(bytes("leased/a"), bytes("1"), PutOption.builder().withLeaseId(lease).build()));
        await(kv.put(bytes("leased/b"), bytes("1"), PutOption.builder().withLeaseId(lease).build()));
        LeaseTimeToLiveResponse left = await(
                leases.timeToLive(lease, LeaseOption.builder().withAttachedKeys().build()));
        assertThat(left.getGrantedTTL()).isEqualTo(60);
        assertThat(left.getTTL()).isBetween(1L, 60L);
        assertThat(left.getKeys()).containsExactlyInAnyOrder(bytes("leased/a"), bytes("leased/b"));
        await(leases.revoke(lease));
        assertThat(await(kv.get(bytes("leased/"), GetOption.builder().isPrefix(true).build())).getKvs()).isEmpty();
        assertThat(await(leases.timeToLive(lease, LeaseOption.DEFAULT)).getTTL()).isEqualTo(-1);
        assertThatThrownBy(() -> await(leases.revoke(lease)))
                .hasMessageContaining("etcdserver: requested lease not found");
    }

    @Test
    void aLeaseThatIsKeptAliveStaysAndAnotherEnds() throws Exception {
        long kept = grant(2);
        long left = grant(2);
        await(kv.put(bytes("alive/kept"), bytes("1"), PutOption.builder().withLeaseId(kept).build()));
        await(kv.put(bytes("alive/left"), bytes("1"), PutOption.builder().withLeaseId(left).build()));
        BlockingQueue<Long> renewals = new LinkedBlockingQueue<>();
        try (Told told = new Told("alive/", WatchOption.builder().isPrefix(true).withNoPut(true));
                CloseableClient keeper = leases.keepAlive(kept, new StreamObserver<LeaseKeepAliveResponse>() {
                    @Override
                    public void onNext(LeaseKeepAliveResponse renewed) {
                        renewals.add(renewed.getTTL());
                    }

                    @Override
                    public void onError(Throwable failed) {}

                    @Override
                    public void onCompleted() {}
                })) {
            assertThat(keeper).isNotNull();
            assertThat(told.next()).isEqualTo("DELETE alive/left=");
            for (int i = 0; i < 5; i++) {
                assertThat(next(renewals)).isEqualTo(2);
            }
            assertThat(await(kv.get(bytes("alive/kept"))).getCount()).isEqualTo(1);
            assertThat(await(leases.keepAliveOnce(kept)).getTTL()).isEqualTo(2);
        }
        assertThatThrownBy(() -> await(leases.keepAliveOnce(left)))
                .hasMessageContaining("etcdserver: requested lease not found");
    }

    @Test
    void aLockIsHeldByOneAndGuardsAWrite() throws Exception {
        long one = grant(60);
        long other = grant(60);
        LockResponse first = await(locks.lock(bytes("lock"), one));
        assertThat(first.getKey()).isEqualTo(bytes("lock/" + Long.toHexString(one)));
        CompletableFuture<LockResponse> second = locks.lock(bytes("lock"), other);
        assertThatThrownBy(() -> second.get(300, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        long created = await(kv.get(first.getKey())).getKvs().getFirst().getCreateRevision();
        assertThat(await(guarded(first.getKey(), created)).isSucceeded()).isTrue();
        await(locks.unlock(first.getKey()));
        assertThat(await(second).getKey()).isEqualTo(bytes("lock/" + Long.toHexString(other)));
        assertThat(await(guarded(first.getKey(), created)).isSucceeded()).isFalse();
    }

    private static CompletableFuture<io.etcd.jetcd.kv.TxnResponse> guarded(ByteSequence key, long created) {
        return kv.txn().If(new Cmp(key, Cmp.Op.EQUAL, CmpTarget.createRevision(created)))
                .Then(Op.put(bytes("guarded"), bytes("x"), PutOption.DEFAULT)).commit();
    }

    @Test
    void tenLeasesWaitInLine() throws Exception {
        List<CompletableFuture<LockResponse>> waiting = new ArrayList<>();
        List<ByteSequence> keys = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            long lease = grant(60);
            ByteSequence key = bytes("line/" + Long.toHexString(lease));
            waiting.add(locks.lock(bytes("line"), lease));
            keys.add(key);
            while (await(kv.get(key)).getCount() == 0) {
                Thread.sleep(5);
            }
        }
        for (int i = 0; i < 10; i++) {
            assertThat(await(waiting.get(i)).getKey()).isEqualTo(keys.get(i));
            assertThat(waiting.stream().filter(CompletableFuture::isDone).count()).isEqualTo(i + 1);
            await(locks.unlock(keys.get(i)));
        }
    }

    @Test
    void aWaiterWhoseLeaseEndsIsNotGranted() throws Exception {
        long one = grant(60);
        long other = grant(60);
        LockResponse first = await(locks.lock(bytes("gone"), one));
        CompletableFuture<LockResponse> second = locks.lock(bytes("gone"), other);
        while (await(kv.get(bytes("gone/" + Long.toHexString(other)))).getCount() == 0) {
            Thread.sleep(5);
        }
        await(leases.revoke(other));
        await(locks.unlock(first.getKey()));
        assertThatThrownBy(() -> await(second)).hasMessageContaining("mutex: session is expired");
    }

    @Test
    void electsProclaimsObservesAndResigns() throws Exception {
        Election election = client.getElectionClient();
        BlockingQueue<String> told = new LinkedBlockingQueue<>();
        election.observe(bytes("seat"), new Election.Listener() {
            @Override
            public void onNext(LeaderResponse response) {
                told.add(response.getKv().getValue().toString());
            }

            @Override
            public void onError(Throwable failed) {
                told.add("failed: " + failed);
            }

            @Override
            public void onCompleted() {}
        });
        assertThatThrownBy(() -> await(election.leader(bytes("seat")))).hasCauseInstanceOf(NoLeaderException.class);
        LeaderKey one = await(election.campaign(bytes("seat"), grant(60), bytes("one"))).getLeader();
        assertThat(next(told)).isEqualTo("one");
        CompletableFuture<CampaignResponse> other = election.campaign(bytes("seat"), grant(60), bytes("other"));
        await(election.proclaim(one, bytes("one again")));
        assertThat(next(told)).isEqualTo("one again");
        assertThat(await(election.leader(bytes("seat"))).getKv().getKey()).isEqualTo(one.getKey());
        assertThat(other.isDone()).isFalse();
        await(election.resign(one));
        LeaderKey next = await(other).getLeader();
        assertThat(next(told)).isEqualTo("other");
        assertThat(next.getRevision()).isGreaterThan(one.getRevision());
        assertThatThrownBy(() -> await(election.proclaim(one, bytes("late"))))
                .hasCauseInstanceOf(NotLeaderException.class);
    }
}
