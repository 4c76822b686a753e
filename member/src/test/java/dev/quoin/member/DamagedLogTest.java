package dev.quoin.member;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.PutRequest;
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
import dev.quoin.store.Outcome;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A log that rots while its member runs is healed by the ledger; one that rots while it does not keeps it from starting. */
class DamagedLogTest {
    private static final Path ROOT = Path.of("/data");
    private static final Path WAL = ROOT.resolve("member").resolve("wal");
    /** Keeps its segments. */
    private static final MemberConfig CONFIG = MemberConfig.alone("m", ROOT, List.of("http://localhost:2380"),
            List.of("http://localhost:2379"), "etcd-cluster", "3.7.1",
            new MemberLimits(Duration.ofMillis(100).toNanos(), 10, Duration.ofSeconds(7).toNanos(), 5_000, 1 << 20,
                    Duration.ofMillis(100).toNanos(), 10_000, 5, 1, 0, WalLimits.ofSegmentBytes(2_048),
                    new LedgerLimits(8_192, 2_048, 4_096), new HousekeepingLimits(1, 2, 4_096, 1 << 20, 1, 1L << 40),
                    RaftLimits.DEFAULT));

    private final FaultyDisk disk = new FaultyDisk(new Random(5));
    private final List<Damaged> found = new ArrayList<>();
    private long nanos;

    private Member open() {
        return Member.open(CONFIG, disk, new Clock() {
            @Override
            public long nanos() {
                return nanos;
            }

            @Override
            public Instant now() {
                return Instant.ofEpochMilli(1_700_000_000_000L).plusNanos(nanos);
            }
        }, bound -> 0, Network.NONE, new Events() {
            @Override
            public void damaged(Damaged damage) {
                throw damage;
            }

            @Override
            public void logDamaged(Damaged damage) {
                found.add(damage);
            }

            @Override
            public void repaired(String what) {
                throw new AssertionError(what);
            }

            @Override
            public void housekeepingRefused(DiskFailure failure) {
                throw failure;
            }

            @Override
            public void changeRefused(String why) {}

            @Override
            public void changeRejected(String arithmetic) {}

            @Override
            public void forced(String what) {}

            @Override
            public void consensus(LogLine line) {}

            @Override
            public void removed(String why) {}

            @Override
            public void auth(long index, AuthOutcome outcome) {}

            @Override
            public void diskFull(DiskFailure failure) {}

            @Override
            public void diskHasRoom() {}

            @Override
            public void quotaFills(int percent, long bytesInUse, long quotaBytes) {}

            @Override
            public void alarmLifted() {}

            @Override
            public void diskHangs(long hanging) {}
        });
    }

    private void turns(Member member, int count) {
        for (int i = 0; i < count; i++) {
            nanos += Duration.ofMillis(5).toNanos();
            member.actors().values().forEach(Actor::turn);
        }
    }

    private void put(Member member, String key) {
        List<Outcome> outcomes = new ArrayList<>();
        Bytes request = Bytes.of(PutRequest.newBuilder()
                .setKey(ByteString.copyFromUtf8(key)).build().toByteArray());
        member.propose(List.of(member.prepare(Requests.Kind.PUT, request, new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                outcomes.add(outcome);
            }

            @Override
            public void failed(Failure failure) {
                throw new AssertionError("failed: " + failure);
            }
        })));
        for (int i = 0; outcomes.isEmpty() && i < 1_000; i++) {
            turns(member, 1);
        }
        assertThat(outcomes).hasSize(1);
    }

    private List<String> segments() {
        return disk.list(WAL).stream().filter(name -> name.endsWith(".wal")).toList();
    }

    private Member filled() {
        Member member = open();
        for (int i = 0; i < 100; i++) {
            put(member, "a key of some length " + i);
        }
        turns(member, 100);
        assertThat(segments()).hasSizeGreaterThan(3);
        return member;
    }

    @Test
    void aFullSegmentThatRotsIsGivenUp() {
        Member member = filled();
        String rotten = segments().get(1);
        disk.corrupt(WAL.resolve(rotten), 1_000, 1);
        turns(member, 2_000);
        assertThat(found).isNotEmpty();
        assertThat(found.getFirst()).hasMessageContaining(rotten);
        assertThat(segments()).doesNotContain(rotten);
        int told = found.size();
        put(member, "afterwards");
        turns(member, 1_000);
        assertThat(found).as("it is over").hasSize(told);
        member.close();

        Member again = open();
        turns(again, 100);
        assertThat(again.view().keyCount()).isEqualTo(101);
        again.close();
    }

    @Test
    void oneThatRotsWhileNobodyLooksKeepsTheMemberFromStarting() {
        filled().close();
        disk.corrupt(WAL.resolve(segments().get(1)), 1_000, 1);
        assertThatThrownBy(this::open).isInstanceOf(Damaged.class).hasMessageContaining(Damaged.REMEDY);
    }
}
