package dev.quoin.member;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.CompactionRequest;
import dev.quoin.api.etcdserverpb.Compare.CompareResult;
import dev.quoin.api.etcdserverpb.Compare.CompareTarget;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.raft.LogLine;
import dev.quoin.raft.RaftLimits;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * A bit of a record rots in a file of a lone member. Whoever needs that record is told file and place; all else goes on, also
 * through compaction, rewriting, checkpoints and a restart; and once the key has a new value the damage is gone.
 */
class DamagedRecordTest {
    private static final Path LEDGER = Path.of("/data/member/ledger");
    private static final String ROTTEN = "value-of-k07-" + "r".repeat(60);
    private static final int KEYS = 40;
    private static final MemberConfig CONFIG = MemberConfig.alone("m", Path.of("/data"),
            List.of("http://localhost:2380"), List.of("http://localhost:2379"), "etcd-cluster", "3.7.1",
            new MemberLimits(Duration.ofMillis(100).toNanos(), 10, Duration.ofSeconds(7).toNanos(), 5_000, 1 << 20,
                    Duration.ofMillis(100).toNanos(), 8, 1, 1, 0, WalLimits.ofSegmentBytes(4_096),
                    new LedgerLimits(2_048, 512, 1_024), new HousekeepingLimits(1, 2, 300, 1_500, 1, 1L << 40),
                    RaftLimits.DEFAULT));

    private final FaultyDisk disk = new FaultyDisk(new Random(7));
    private final List<String> reported = new ArrayList<>();
    private long nanos;
    private Member member = open();

    private Member open() {
        Clock clock = new Clock() {
            @Override
            public long nanos() {
                return nanos;
            }

            @Override
            public Instant now() {
                return Instant.ofEpochMilli(1_700_000_000_000L).plusNanos(nanos);
            }
        };
        return Member.open(CONFIG, disk, clock, bound -> 0, Network.NONE, new Events() {
            @Override
            public void damaged(Damaged damage) {
                reported.add(String.valueOf(damage.getMessage()));
            }

            @Override
            public void repaired(String what) {
                reported.add("repaired: " + what);
            }

            @Override
            public void housekeepingRefused(DiskFailure failure) {
                throw failure;
            }

            @Override
            public void changeRefused(String why) {
                throw new AssertionError(why);
            }

            @Override
            public void changeRejected(String arithmetic) {
                throw new AssertionError(arithmetic);
            }

            @Override
            public void forced(String what) {
                throw new AssertionError(what);
            }

            @Override
            public void consensus(LogLine line) {}

            @Override
            public void diskHangs(long nanos) {}

            @Override
            public void auth(long index, AuthOutcome outcome) {}

            @Override
            public void diskFull(DiskFailure failure) {
                throw failure;
            }

            @Override
            public void diskHasRoom() {}

            @Override
            public void quotaFills(int percent, long bytesInUse, long quotaBytes) {}

            @Override
            public void alarmLifted() {}

            @Override
            public void removed(String why) {
                throw new AssertionError(why);
            }
        });
    }

    /** Gives everybody turns until nobody has much to do. */
    private void settle() {
        for (int round = 0; round < 400; round++) {
            nanos += Duration.ofMillis(5).toNanos();
            member.actors().values().forEach(Actor::turn);
        }
    }

    private Outcome ask(Requests.Kind kind, MessageLite request) {
        Outcome[] answer = new Outcome[1];
        member.propose(List.of(member.prepare(kind, Bytes.of(request.toByteArray()), new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                answer[0] = outcome;
            }

            @Override
            public void failed(Failure failure) {
                throw new AssertionError("failed: " + failure);
            }
        })));
        for (int turn = 0; answer[0] == null && turn < 1_000; turn++) {
            nanos += Duration.ofMillis(1).toNanos();
            member.actors().values().forEach(Actor::turn);
        }
        assertThat(answer[0]).as("answered").isNotNull();
        return answer[0];
    }

    private static PutRequest.Builder put(int key, String value) {
        return PutRequest.newBuilder().setKey(name(key)).setValue(ByteString.copyFromUtf8(value));
    }

    private static ByteString name(int key) {
        return ByteString.copyFromUtf8(String.format("k%02d", key));
    }

    private Outcome read(int key) {
        return member.view().range(Query.get(Bytes.of(name(key).toByteArray())));
    }

    @BeforeEach
    void aRottenRecordBeforeTheCheckpoint() {
        settle();
        for (int key = 0; key < KEYS; key++) {
            ask(Requests.Kind.PUT, put(key, key == 7 ? ROTTEN : "value-of-" + key + "-".repeat(60)).build());
        }
        settle();
        assertThat(disk.list(LEDGER)).contains("checkpoint");
        assertThat(rot()).as("files with the value").isEqualTo(1);
    }

    /** Flips a bit in the middle of the value wherever it lies in a file of the ledger; in how many that is. */
    private int rot() {
        int found = 0;
        for (String file : disk.list(LEDGER)) {
            String contents = new String(disk.contents(LEDGER.resolve(file)), StandardCharsets.ISO_8859_1);
            int at = contents.indexOf(ROTTEN);
            if (at >= 0) {
                disk.corrupt(LEDGER.resolve(file), at + 20, 1);
                found++;
            }
        }
        return found;
    }

    @Test
    void whoReadsItIsToldAndAllElseIsServed() {
        assertThatThrownBy(() -> read(7)).isInstanceOf(Damaged.class).hasMessageContaining("/ledger/");
        assertThatThrownBy(() -> member.view().range(Query.of(KeyRange.everything()))).isInstanceOf(Damaged.class);
        assertThat(((Outcome.Ranged) read(8)).kvs()).hasSize(1);
        assertThat(((Outcome.Ranged) member.view().range(Query.of(KeyRange.everything()).withKeysOnly())).kvs())
                .hasSize(KEYS);
        settle();
        assertThat(reported).as("the scrub has found it, and says so").anyMatch(text -> text.contains("/ledger/"));
    }

    @Test
    void whatDependsOnItIsLeftOutAndSaysSo() {
        long before = member.view().revision();
        TxnRequest guarded = TxnRequest.newBuilder()
                .addCompare(dev.quoin.api.etcdserverpb.Compare.newBuilder().setKey(name(7))
                        .setTarget(CompareTarget.VALUE).setResult(CompareResult.EQUAL)
                        .setValue(ByteString.copyFromUtf8("x")))
                .addSuccess(RequestOp.newBuilder().setRequestPut(put(1, "a")))
                .addFailure(RequestOp.newBuilder().setRequestPut(put(1, "b"))).build();
        assertThat(ask(Requests.Kind.TXN, guarded)).isInstanceOf(Outcome.Unreadable.class);
        assertThat(ask(Requests.Kind.PUT, PutRequest.newBuilder().setKey(name(7)).setIgnoreValue(true).build()))
                .isInstanceOf(Outcome.Unreadable.class);
        TxnRequest late = TxnRequest.newBuilder()
                .addSuccess(RequestOp.newBuilder().setRequestPut(put(1, "a")))
                .addSuccess(RequestOp.newBuilder()
                        .setRequestPut(PutRequest.newBuilder().setKey(name(7)).setIgnoreValue(true)))
                .build();
        assertThat(ask(Requests.Kind.TXN, late)).isInstanceOf(Outcome.Unreadable.class);
        assertThat(member.view().revision()).as("nothing was done").isEqualTo(before);
        assertThat(ask(Requests.Kind.PUT, put(1, "later").build())).isEqualTo(new Outcome.Put(before + 1, null));
    }

    @Test
    void whatOnlyTellsItIsDoneAndTheDamageEndsWithTheOldValue() {
        long before = member.view().revision();
        Outcome.Unreadable told = (Outcome.Unreadable) ask(Requests.Kind.PUT,
                put(7, "new").setPrevKv(true).build());
        assertThat(told.revision()).isEqualTo(before + 1);
        assertThat(told.reason()).isInstanceOf(Damaged.class);
        assertThat(((Outcome.Ranged) read(7)).kvs()).hasSize(1);

        TxnRequest old = TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestPut(put(3, "new")))
                .addSuccess(RequestOp.newBuilder()
                        .setRequestRange(RangeRequest.newBuilder().setKey(name(7)).setRevision(before)))
                .build();
        assertThat(ask(Requests.Kind.TXN, old)).isInstanceOf(Outcome.Unreadable.class);
        assertThat(member.view().revision()).isEqualTo(before + 2);

        for (int key = 8; key < KEYS; key += 2) {
            ask(Requests.Kind.DELETE_RANGE, DeleteRangeRequest.newBuilder().setKey(name(key)).build());
        }
        long revision = member.view().revision();
        ask(Requests.Kind.COMPACTION, CompactionRequest.newBuilder().setRevision(revision).build());
        settle();
        assertThat(member.view().compaction()).as("done in spite of the damage").isNull();
        reported.clear();
        restart();
        settle();
        assertThat(((Outcome.Ranged) read(7)).kvs()).hasSize(1);
    }

    @Test
    void aRestartFindsEverythingElse() {
        restart();
        assertThatThrownBy(() -> read(7)).isInstanceOf(Damaged.class);
        for (int key = 0; key < KEYS; key++) {
            if (key != 7) {
                assertThat(((Outcome.Ranged) read(key)).kvs()).hasSize(1);
            }
        }
        Outcome again = ask(Requests.Kind.PUT, put(7, "again").build());
        assertThat(again).isInstanceOf(Outcome.Put.class);
        assertThat(((Outcome.Ranged) read(7)).kvs()).hasSize(1);
    }

    @Test
    void damageBehindTheCheckpointIsMadeGoodFromTheLog() {
        ask(Requests.Kind.PUT, put(7, "fresh-and-rotten").build());
        settle();
        member.close();
        @Nullable
        String rotten = null;
        for (String file : disk.list(LEDGER)) {
            String contents = new String(disk.contents(LEDGER.resolve(file)), StandardCharsets.ISO_8859_1);
            int at = contents.indexOf("fresh-and-rotten");
            if (at >= 0) {
                disk.corrupt(LEDGER.resolve(file), at + 3, 4);
                rotten = file;
            }
        }
        assertThat(rotten).isNotNull();
        reported.clear();
        member = open();
        settle();
        assertThat(reported).anyMatch(text -> text.startsWith("repaired: "));
        assertThat(((Outcome.Ranged) read(7)).kvs()).hasSize(1);
        assertThat(disk.list(LEDGER)).as("kept as evidence").anyMatch(name -> name.endsWith(".damaged"));
    }

    private void restart() {
        member.close();
        disk.restartProcess();
        member = open();
        settle();
    }
}
