package dev.quoin.member;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.CompactionRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.raft.LogLine;
import dev.quoin.raft.RaftLimits;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.Outcome;

import static org.assertj.core.api.Assertions.assertThat;

/** What is given back is given back for good, and a disk without room delays it and does nothing else. */
class HousekeeperTest {
    private static final Path LEDGER = Path.of("/data/member/ledger");
    private static final long PIN_NANOS_MAX = Duration.ofMinutes(10).toNanos();

    private final FaultyDisk disk = new FaultyDisk(new Random(7));
    private final List<String> refused = new ArrayList<>();
    /** How names end that the disk takes no file of. */
    private String full = "nothing";
    private long nanos;

    /** @param checkpointBytes growth after which a checkpoint is worth while */
    private Member open(long checkpointBytes) {
        MemberLimits limits = new MemberLimits(Duration.ofMillis(100).toNanos(), 10, Duration.ofSeconds(7).toNanos(),
                5_000, 1 << 20, Duration.ofMillis(100).toNanos(), 8, 1, 1, 0, WalLimits.ofSegmentBytes(4_096),
                new LedgerLimits(2_048, 512, 1_024),
                new HousekeepingLimits(1, 2, 300, checkpointBytes, 1, PIN_NANOS_MAX),
                RaftLimits.DEFAULT);
        MemberConfig config = MemberConfig.alone("m", Path.of("/data"), List.of("http://localhost:2380"),
                List.of("http://localhost:2379"), "etcd-cluster", "3.7.1", limits);
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
        return Member.open(config, fullDisk(), clock, bound -> 0, Network.NONE, new Events() {
            @Override
            public void damaged(Damaged damage) {
                throw damage;
            }

            @Override
            public void repaired(String what) {
                throw new AssertionError(what);
            }

            @Override
            public void housekeepingRefused(DiskFailure failure) {
                refused.add(String.valueOf(failure.getMessage()));
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

    private Disk fullDisk() {
        return (Disk) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[]{Disk.class},
                (proxy, method, args) -> {
                    if (method.getName().equals("create") && args[0].toString().endsWith(full)) {
                        throw DiskFailure.refusedWrite("create", (Path) args[0], "no space left");
                    }
                    try {
                        return method.invoke(disk, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private void settle(Member member) {
        for (int round = 0; round < 600; round++) {
            nanos += Duration.ofMillis(5).toNanos();
            member.actors().values().forEach(Actor::turn);
        }
    }

    private void ask(Member member, Requests.Kind kind, MessageLite request) {
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
    }

    private void overwrite(Member member, int times) {
        for (int i = 0; i < times; i++) {
            ask(member, Requests.Kind.PUT, PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("k" + i % 3))
                    .setValue(ByteString.copyFromUtf8("x".repeat(100))).build());
        }
    }

    private void compact(Member member) {
        ask(member, Requests.Kind.COMPACTION,
                CompactionRequest.newBuilder().setRevision(member.view().revision()).build());
        settle(member);
        assertThat(member.view().compaction()).as("done").isNull();
    }

    @Test
    void whatACompactionGaveBackIsNotInUseAfterARestart() {
        Member member = open(1 << 20);
        settle(member);
        overwrite(member, 60);
        long full = member.status().storeBytesInUse();
        compact(member);
        long left = member.status().storeBytesInUse();
        assertThat(left).isLessThan(full / 4);
        assertThat(disk.list(LEDGER)).as("nothing tells but the records").doesNotContain("checkpoint");
        member.close();
        disk.restartProcess();

        member = open(1 << 20);
        settle(member);
        assertThat(member.view().compaction()).isNull();
        assertThat(member.status().storeBytesInUse()).isLessThan(left + 400);
    }

    @Test
    void aDiskThatTakesNoPackedFileIsAskedAgainLater() {
        Member member = open(1_500);
        settle(member);
        full = ".packed.tmp";
        overwrite(member, 60);
        compact(member);
        assertThat(refused).as("reported, and nothing else happens").isNotEmpty()
                .allMatch(text -> text.contains(".packed.tmp"));
        assertThat(disk.list(LEDGER)).noneMatch(name -> name.endsWith(".packed"));
        List<String> told = new ArrayList<>();
        member.defragment(new ReadAnswer() {
            @Override
            public void ready() {
                told.add("ready");
            }

            @Override
            public void failed(Failure failure) {
                told.add(failure.name());
            }
        });
        settle(member);
        assertThat(told).as("who waits for space is not told that it is there").containsExactly("NO_ROOM");
        full = "nothing";
        nanos += Duration.ofSeconds(31).toNanos();
        settle(member);
        assertThat(disk.list(LEDGER)).anyMatch(name -> name.endsWith(".packed"));
    }

    @Test
    void aCheckpointThatWasRefusedAfterACompactionIsMadeUpFor() {
        Member member = open(40_000);
        settle(member);
        full = "checkpoint.tmp";
        overwrite(member, 100);
        compact(member);
        assertThat(refused).isNotEmpty().allMatch(text -> text.contains("checkpoint.tmp"));
        full = "nothing";
        nanos += Duration.ofSeconds(31).toNanos();
        settle(member);
        assertThat(disk.list(LEDGER)).contains("checkpoint");
    }

    /** A hundred alarms raised and taken back in each batch, so that commits are no share of it worth mention. */
    @Test
    void whatACheckpointTakesThePlaceOfIsNotInUse() {
        Member member = open(1_500);
        settle(member);
        for (int round = 0; round < 20; round++) {
            List<Proposal> batch = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                batch.add(member.prepare(Requests.Kind.ALARM, Bytes.of(AlarmRequest.newBuilder()
                        .setActionValue(1 + i % 2).setMemberID(5).setAlarmValue(7).build().toByteArray()), DONE));
            }
            member.propose(batch);
            settle(member);
        }
        assertThat(member.status().storeBytesInUse()).isLessThan(10_000);
        assertThat(member.status().storeBytes()).isLessThan(20_000);
        member.close();
        disk.restartProcess();

        member = open(1_500);
        settle(member);
        assertThat(member.status().storeBytesInUse()).isLessThan(10_000);
    }

    // ---- records that somebody reads

    /** What takes the pin back. */
    private Runnable pin(Member member) {
        List<Runnable> unpins = new ArrayList<>();
        Housekeeper housekeeper = (Housekeeper) Objects.requireNonNull(member.actors().get("housekeeper"));
        housekeeper.mailbox().put(new Housekeeper.Message.Pin(unpins::add));
        settle(member);
        assertThat(unpins).hasSize(1);
        return unpins.getFirst();
    }

    private List<String> packed() {
        return disk.list(LEDGER).stream().filter(name -> name.contains(".packed")).toList();
    }

    private boolean isRewritten() {
        return packed().stream().anyMatch(name -> name.endsWith(".packed"));
    }

    @Test
    void nothingIsGivenUpWhileSomebodyReadsIt() {
        Member member = open(1_500);
        settle(member);
        Runnable first = pin(member);
        Runnable second = pin(member);
        overwrite(member, 60);
        compact(member);
        assertThat(disk.list(LEDGER)).as("what deletes nothing goes on").contains("checkpoint");
        List<String> told = new ArrayList<>();
        member.defragment(new ReadAnswer() {
            @Override
            public void ready() {
                told.add("ready");
            }

            @Override
            public void failed(Failure failure) {
                told.add(failure.name());
            }
        });
        first.run();
        first.run();
        settle(member);
        assertThat(isRewritten()).as("one reads on").isFalse();
        assertThat(told).as("who waits for space waits").isEmpty();

        second.run();
        settle(member);
        assertThat(isRewritten()).isTrue();
        assertThat(told).containsExactly("ready");
    }

    @Test
    void aRewriteThatIsUnderWayIsGivenUpAndBegunAnew() {
        Member member = open(1_500);
        settle(member);
        overwrite(member, 60);
        ask(member, Requests.Kind.COMPACTION,
                CompactionRequest.newBuilder().setRevision(member.view().revision()).build());
        for (int turn = 0; disk.list(LEDGER).stream().noneMatch(name -> name.endsWith(".packed.tmp")); turn++) {
            assertThat(turn).as("turns until a rewrite begins").isLessThan(20_000);
            nanos += Duration.ofMillis(1).toNanos();
            member.actors().values().forEach(Actor::turn);
        }
        List<String> packed = packed();
        Runnable unpin = pin(member);
        assertThat(packed()).as("without the one that was under way").isEqualTo(packed.stream()
                .filter(name -> !name.endsWith(".tmp")).toList());

        unpin.run();
        settle(member);
        assertThat(packed()).isNotEqualTo(packed).noneMatch(name -> name.endsWith(".tmp"));
    }

    @Test
    void whoReadsForTooLongHoldsNothingUp() {
        Member member = open(1_500);
        settle(member);
        Runnable slow = pin(member);
        overwrite(member, 60);
        compact(member);
        nanos += PIN_NANOS_MAX - Duration.ofMinutes(1).toNanos();
        settle(member);
        assertThat(isRewritten()).isFalse();

        nanos += Duration.ofMinutes(1).toNanos();
        Runnable next = pin(member);
        slow.run();
        settle(member);
        assertThat(isRewritten()).as("a late end of the one does not end the other").isFalse();

        next.run();
        settle(member);
        assertThat(isRewritten()).isTrue();
    }

    private static final Answer DONE = new Answer() {
        @Override
        public void outcome(Outcome outcome) {
            assertThat(outcome).isInstanceOf(Outcome.Alarms.class);
        }

        @Override
        public void failed(Failure failure) {
            throw new AssertionError("failed: " + failure);
        }
    };
}
