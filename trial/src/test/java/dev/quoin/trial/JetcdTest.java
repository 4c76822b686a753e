package dev.quoin.trial;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.kv.DeleteResponse;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.PutResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.CompactOption;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** An unmodified jetcd works as it does with etcd. */
@Tag("interop")
class JetcdTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path home;

    @SuppressWarnings("NullAway.Init")
    private static ServerProcess server;
    @SuppressWarnings("NullAway.Init")
    private static Client client;
    @SuppressWarnings("NullAway.Init")
    private static KV kv;

    @BeforeAll
    static void start() throws Exception {
        server = ServerProcess.started(home);
        client = Client.builder().endpoints(server.clientUrl()).build();
        kv = client.getKVClient();
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
        return answer.get(20, TimeUnit.SECONDS);
    }

    private static List<String> pairs(List<KeyValue> kvs) {
        return kvs.stream().map(kv -> kv.getKey() + "=" + kv.getValue()).toList();
    }

    @Test
    void putsGetsAndDeletes() throws Exception {
        PutResponse put = await(kv.put(bytes("simple"), bytes("first")));
        assertThat(put.hasPrevKv()).isFalse();
        KeyValue read = await(kv.get(bytes("simple"))).getKvs().getFirst();
        assertThat(read.getValue()).isEqualTo(bytes("first"));
        assertThat(read.getVersion()).isEqualTo(1);
        assertThat(read.getModRevision()).isEqualTo(put.getHeader().getRevision());
        DeleteResponse deleted = await(kv.delete(bytes("simple")));
        assertThat(deleted.getDeleted()).isEqualTo(1);
        assertThat(deleted.getHeader().getRevision()).isEqualTo(put.getHeader().getRevision() + 1);
        assertThat(await(kv.get(bytes("simple"))).getKvs()).isEmpty();
    }

    @Test
    void returnsWhatWasThereBefore() throws Exception {
        await(kv.put(bytes("prev/a"), bytes("1")));
        PutResponse second = await(kv.put(bytes("prev/a"), bytes("2"), PutOption.builder().withPrevKV().build()));
        assertThat(second.getPrevKv().getValue()).isEqualTo(bytes("1"));
        await(kv.put(bytes("prev/b"), bytes("3")));
        DeleteResponse deleted = await(
                kv.delete(bytes("prev/"), DeleteOption.builder().isPrefix(true).withPrevKV(true).build()));
        assertThat(pairs(deleted.getPrevKvs())).containsExactly("prev/a=2", "prev/b=3");
    }

    @Test
    void comparesAndSwaps() throws Exception {
        await(kv.put(bytes("cas"), bytes("old")));
        TxnResponse first = await(swap());
        assertThat(first.isSucceeded()).isTrue();
        assertThat(first.getPutResponses()).hasSize(1);
        TxnResponse second = await(swap());
        assertThat(second.isSucceeded()).isFalse();
        assertThat(pairs(second.getGetResponses().getFirst().getKvs())).containsExactly("cas=new");
        assertThat(second.getHeader().getRevision()).isGreaterThanOrEqualTo(first.getHeader().getRevision());
    }

    private static CompletableFuture<TxnResponse> swap() {
        return kv.txn().If(new Cmp(bytes("cas"), Cmp.Op.EQUAL, CmpTarget.value(bytes("old"))))
                .Then(Op.put(bytes("cas"), bytes("new"), PutOption.DEFAULT))
                .Else(Op.get(bytes("cas"), GetOption.DEFAULT)).commit();
    }

    /** Pages as a client reads a long list: at one revision, each beginning after the last key. */
    @Test
    void listsInPages() throws Exception {
        for (int i = 0; i < 25; i++) {
            await(kv.put(bytes("page/%02d".formatted(i)), bytes("x")));
        }
        GetResponse first = await(kv.get(bytes("page/"), page(0)));
        assertThat(first.getCount()).isEqualTo(25);
        long revision = first.getHeader().getRevision();
        await(kv.put(bytes("page/00x"), bytes("too late")));
        List<String> keys = new ArrayList<>();
        GetResponse answer = first;
        while (true) {
            answer.getKvs().forEach(pair -> keys.add(pair.getKey().toString()));
            if (!answer.isMore()) {
                break;
            }
            answer = await(kv.get(bytes(keys.getLast() + "\0"), page(revision)));
        }
        assertThat(keys).hasSize(25).isSorted().doesNotHaveDuplicates().doesNotContain("page/00x");
    }

    private static GetOption page(long revision) {
        return GetOption.builder().withRange(bytes("page0")).withLimit(10).withRevision(revision).build();
    }

    @Test
    void sortsAndCounts() throws Exception {
        await(kv.put(bytes("sort/a"), bytes("2")));
        await(kv.put(bytes("sort/b"), bytes("1")));
        GetResponse sorted = await(kv.get(bytes("sort/"), GetOption.builder().isPrefix(true)
                .withSortField(GetOption.SortTarget.VALUE).withSortOrder(GetOption.SortOrder.ASCEND).build()));
        assertThat(pairs(sorted.getKvs())).containsExactly("sort/b=1", "sort/a=2");
        GetResponse counted = await(
                kv.get(bytes("sort/"), GetOption.builder().isPrefix(true).withCountOnly(true).build()));
        assertThat(counted.getCount()).isEqualTo(2);
        assertThat(counted.getKvs()).isEmpty();
    }

    /** Longer than what is sent in one part: 100 values of 20,000 bytes. */
    @Test
    void listsLongAnswers() throws Exception {
        String value = "v".repeat(20_000);
        for (int i = 0; i < 100; i++) {
            await(kv.put(bytes("long/%03d".formatted(i)), bytes(value)));
        }
        GetOption.Builder all = GetOption.builder().isPrefix(true);
        assertThat(await(kv.get(bytes("long/"), all.build())).getKvs()).hasSize(100).allSatisfy(pair -> assertThat(
                pair.getValue()).isEqualTo(bytes(value)));
        assertThat(await(kv.get(bytes("long/"), all.withKeysOnly(true).build())).getKvs()).hasSize(100)
                .allSatisfy(pair -> assertThat(pair.getValue().isEmpty()).isTrue());
        TxnResponse txn = await(kv.txn().Then(Op.get(bytes("long/"), GetOption.builder().isPrefix(true).build()),
                Op.get(bytes("long/007"), GetOption.DEFAULT)).commit());
        assertThat(txn.getGetResponses().getFirst().getKvs()).hasSize(100);
        assertThat(txn.getGetResponses().getLast().getKvs()).hasSize(1);
    }

    @Test
    void compactsHistory() throws Exception {
        long first = await(kv.put(bytes("compact"), bytes("1"))).getHeader().getRevision();
        long second = await(kv.put(bytes("compact"), bytes("2"))).getHeader().getRevision();
        long third = await(kv.put(bytes("compact"), bytes("3"))).getHeader().getRevision();
        assertThat(await(kv.compact(second)).getHeader().getRevision()).isEqualTo(third);
        assertThat(pairs(await(kv.get(bytes("compact"), GetOption.builder().withRevision(second).build())).getKvs()))
                .containsExactly("compact=2");
        String compacted = "etcdserver: mvcc: required revision has been compacted";
        assertThatThrownBy(
                () -> await(kv.get(bytes("compact"), GetOption.builder().withRevision(first).build())))
                .hasMessageContaining(compacted);
        assertThatThrownBy(() -> await(
                kv.get(bytes("compact"), GetOption.builder().isPrefix(true).withRevision(first).build())))
                .hasMessageContaining(compacted);
        assertThatThrownBy(() -> await(kv.compact(second))).hasMessageContaining(compacted);
        assertThatThrownBy(() -> await(kv.compact(third + 1)))
                .hasMessageContaining("etcdserver: mvcc: required revision is a future revision");
        await(kv.compact(third, CompactOption.builder().withCompactPhysical(true).build()));
        assertThat(pairs(await(kv.get(bytes("compact"))).getKvs())).containsExactly("compact=3");
    }

    @Test
    void seesEtcdsErrors() {
        assertThatThrownBy(() -> await(kv.put(bytes(""), bytes("x")))).isInstanceOf(ExecutionException.class)
                .hasMessageContaining("etcdserver: key is not provided");
        assertThatThrownBy(() -> await(kv.get(bytes("a"), GetOption.builder().withRevision(1L << 40).build())))
                .hasMessageContaining("etcdserver: mvcc: required revision is a future revision");
        assertThatThrownBy(() -> await(
                kv.txn().Then(Op.put(bytes("twice"), bytes("1"), PutOption.DEFAULT),
                        Op.put(bytes("twice"), bytes("2"), PutOption.DEFAULT)).commit()))
                .hasMessageContaining("etcdserver: duplicate key given in txn request");
        assertThatThrownBy(
                () -> await(kv.put(bytes("leased"), bytes("x"), PutOption.builder().withLeaseId(1234).build())))
                .hasMessageContaining("etcdserver: requested lease not found");
    }

    @Test
    void twoHundredPutsAtOnceGetARevisionEach() throws Exception {
        List<CompletableFuture<PutResponse>> puts = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            puts.add(kv.put(bytes("many/" + i), bytes("value of " + i)));
        }
        List<Long> revisions = new ArrayList<>();
        for (CompletableFuture<PutResponse> put : puts) {
            revisions.add(await(put).getHeader().getRevision());
        }
        assertThat(revisions).hasSize(200).doesNotHaveDuplicates();
        GetResponse all = await(kv.get(bytes("many/"), GetOption.builder().isPrefix(true).build()));
        assertThat(all.getKvs()).hasSize(200).allSatisfy(pair -> {
            assertThat(pair.getValue().toString())
                    .isEqualTo("value of " + pair.getKey().toString().substring("many/".length()));
            assertThat(revisions).contains(pair.getModRevision());
        });
    }

    @Test
    void describesTheMember() throws Exception {
        assertThat(await(client.getMaintenanceClient().statusMember(server.clientUrl())).getVersion())
                .isEqualTo("3.7.1");
        assertThat(await(client.getClusterClient().listMember()).getMembers()).singleElement()
                .satisfies(member -> assertThat(member.getName()).isEqualTo("default"));
    }

    /** What happened and what happens, in order, with what was before; and how far it is. */
    @Test
    void watches() throws Exception {
        long first = await(kv.put(bytes("watch/a"), bytes("1"))).getHeader().getRevision();
        await(kv.delete(bytes("watch/a")));
        BlockingQueue<WatchResponse> heard = new LinkedBlockingQueue<>();
        WatchOption options = WatchOption.builder().isPrefix(true).withRevision(first).withPrevKV(true).build();
        try (Watch watch = client.getWatchClient();
                Watch.Watcher watcher = watch.watch(bytes("watch/"), options, heard::add)) {
            await(kv.put(bytes("watch/b"), bytes("2")));
            await(kv.txn().Then(Op.put(bytes("watch/b"), bytes("3"), PutOption.DEFAULT),
                    Op.put(bytes("watch/c"), bytes("4"), PutOption.DEFAULT)).commit());
            List<String> told = new ArrayList<>();
            while (told.size() < 5) {
                WatchResponse response = heard.poll(20, TimeUnit.SECONDS);
                assertThat(response).as("the answers after %s", told).isNotNull();
                response.getEvents().forEach(event -> told.add(event.getEventType() + " " + event.getKeyValue().getKey()
                        + "=" + event.getKeyValue().getValue() + " was " + event.getPrevKV().getValue() + " at "
                        + (event.getKeyValue().getModRevision() - first)));
            }
            assertThat(told).containsExactly("PUT watch/a=1 was  at 0", "DELETE watch/a= was 1 at 1",
                    "PUT watch/b=2 was  at 2", "PUT watch/b=3 was 2 at 3", "PUT watch/c=4 was  at 3");
            assertThat(watcher.isClosed()).isFalse();
            watch.requestProgress();
            WatchResponse progress = heard.poll(20, TimeUnit.SECONDS);
            assertThat(progress).isNotNull();
            assertThat(progress.isProgressNotify()).isTrue();
            assertThat(progress.getHeader().getRevision()).isGreaterThanOrEqualTo(first + 3);
        }
    }
}
