package dev.quoin.member;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.base.Bytes;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.raft.RaftLimits;
import dev.quoin.store.Outcome;

import static org.assertj.core.api.Assertions.assertThat;

/** A disk that does not answer for a long time: whoever waits is told, and memory does not grow. */
class BoundsTest {
    private static final int IN_FLIGHT_BYTES = 64 << 10;
    private static final MemberLimits LIMITS = new MemberLimits(Duration.ofMillis(100).toNanos(), 10,
            Duration.ofSeconds(7).toNanos(), 5_000, IN_FLIGHT_BYTES, Duration.ofMillis(100).toNanos(), 10_000, 5, 1, 0,
            WalLimits.ofSegmentBytes(1 << 20), new LedgerLimits(64 << 10, 4 << 10, 300), HousekeepingLimits.DEFAULT,
            RaftLimits.DEFAULT);

    private final HandClock clock = new HandClock();
    private final List<String> heard = new ArrayList<>();
    private Member member = open();

    private Member open() {
        return Member.open(MemberConfig.alone("m", Path.of("/data"), List.of("http://localhost:2380"),
                List.of("http://localhost:2379"), "etcd-cluster", "3.7.1", LIMITS), new FaultyDisk(new Random(1)),
                clock, bound -> 0, Network.NONE, Events.NONE);
    }

    @BeforeEach
    void aLeaderThatServes() {
        pass(2, "raft", "wal", "raft", "apply", "ledger");
        assertThat(member.status().leader()).isEqualTo(member.memberId());
    }

    private void turns(String... owners) {
        for (String owner : owners) {
            Objects.requireNonNull(member.actors().get(owner)).turn();
        }
    }

    /** {@code seconds} go by, in which these owners have their turns and the others hang in the disk. */
    private void pass(int seconds, String... owners) {
        for (int tick = 0; tick < 10 * seconds; tick++) {
            clock.nanos += LIMITS.tickNanos();
            turns(owners);
        }
    }

    private void put(int bytes) {
        Bytes request = Bytes.of(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("k"))
                .setValue(ByteString.copyFrom(new byte[bytes])).build().toByteArray());
        member.propose(List.of(member.prepare(Requests.Kind.PUT, request, new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                heard.add("put");
            }

            @Override
            public void failed(Failure failure) {
                heard.add(failure.toString());
            }
        })));
    }

    private void read() {
        member.read(new ReadAnswer() {
            @Override
            public void ready() {
                heard.add("read");
            }

            @Override
            public void failed(Failure failure) {
                heard.add("read " + failure);
            }
        });
    }

    /** The ledger's disk hangs: the apply loop waits for it, and a read whose index it has not reached waits too. */
    @Test
    void aReadBehindAnApplyLoopThatWaitsIsToldInTime() {
        put(100);
        put(100);
        turns("raft", "wal", "raft", "apply");
        put(100);
        turns("raft", "wal", "raft", "apply");
        assertThat(heard).containsExactly("put", "put");
        heard.clear();
        read();

        pass(9, "raft", "wal", "apply");

        assertThat(heard).containsExactlyInAnyOrder("TIMEOUT", "read TIMEOUT");
        heard.clear();
        turns("ledger", "apply");
        assertThat(heard).as("nobody is answered twice").isEmpty();
    }

    /** The log's disk hangs: whoever waited is told after 7 s, but what was proposed is still in memory. */
    @Test
    void whatIsNotYetAppliedCountsAsUnderWayEvenIfNobodyWaitsForItAnyMore() {
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < 10; i++) {
                put(IN_FLIGHT_BYTES / 10);
            }
            pass(9, "raft", "apply", "ledger");
        }
        assertThat(heard).hasSize(50);
        assertThat(heard.stream().filter("TIMEOUT"::equals).count()).as("proposals that are in memory").isLessThan(20);
        heard.clear();

        turns("wal", "raft", "apply", "ledger", "apply", "raft");
        put(100);
        turns("raft", "wal", "raft", "apply");
        assertThat(heard).as("it goes on when the disk does").containsExactly("put");
    }
}
