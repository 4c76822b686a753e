package dev.quoin.member;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.CompactionRequest;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.PowerCut;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.raft.RaftLimits;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.Refusal;
import dev.quoin.store.View;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A whole member on a disk that loses power, or fails, at every single operation of a script. The member's owners are
 * given their turns by a seeded generator instead of threads, so a seed and a number bring any failure back.
 *
 * <p>What must hold: whatever was acknowledged is there after the restart, with the revision it was given; no revision is
 * given to two acknowledged requests; what was never asked for is not there; and the member goes on from there.
 */
class PowerCutTest {
    private static final int REQUESTS = 36;
    private static final long SEEDS = Long.getLong("quoin.seeds", 2);
    private static final Path LEDGER = Path.of("/data/member/ledger");
    private static final int TURNS_MAX = 20_000;

    private static final MemberLimits SMALL = new MemberLimits(Duration.ofMillis(100).toNanos(), 10,
            Duration.ofSeconds(7).toNanos(), 5_000, 1 << 20, Duration.ofMillis(100).toNanos(), 8, 1, 1, 0,
            WalLimits.ofSegmentBytes(2_048), new LedgerLimits(2_048, 512, 1_024),
            new HousekeepingLimits(1, 2, 300, 1_500, 1, 1L << 40), RaftLimits.DEFAULT);
    private static final MemberConfig CONFIG = MemberConfig.alone("m", Path.of("/data"),
            List.of("http://localhost:2380"),
            List.of("http://localhost:2379"), "etcd-cluster", "3.7.1", SMALL);

    /** A clock that moves a little with every turn. */
    private static final class TurnClock implements Clock {
        private long nanos;

        @Override
        public long nanos() {
            return nanos;
        }

        @Override
        public Instant now() {
            return Instant.ofEpochMilli(1_700_000_000_000L).plusNanos(nanos);
        }
    }

    /** What the clients of all lives of the member know. */
    private static final class Book {
        /** The revision each key was acknowledged at, or null if it was deleted; only where nothing later is unknown. */
        private final TreeMap<String, Long> acknowledged = new TreeMap<>();
        private final TreeMap<String, Boolean> unknown = new TreeMap<>();
        private final TreeMap<Long, String> revisions = new TreeMap<>();
        private final TreeMap<String, String> values = new TreeMap<>();
        private int asked;
        /** Names of files of the ledger that were there at the end of some life. */
        private final TreeSet<String> files = new TreeSet<>();
    }

    /** One request and what became of it. */
    private static final class Request implements Answer {
        private @Nullable Outcome outcome;
        private @Nullable Failure failure;

        @Override
        public void outcome(Outcome result) {
            assertThat(outcome).as("answered once").isNull();
            outcome = result;
        }

        @Override
        public void failed(Failure why) {
            failure = why;
        }
    }

    /** One life of the member, on the disk as it is. */
    private static final class Life {
        private final TurnClock clock;
        private final Random random;
        private final Member member;

        Life(FaultyDisk disk, TurnClock clock, Random random) {
            this.clock = clock;
            this.random = random;
            member = Member.open(CONFIG, disk, clock, bound -> 0, Network.NONE, Events.NONE);
        }

        private void turn() {
            List<Actor> actors = List.copyOf(member.actors().values());
            clock.nanos += Duration.ofMillis(random.nextInt(20)).toNanos();
            actors.get(random.nextInt(actors.size())).turn();
        }

        /** Asks and gives turns until there is an answer. */
        void ask(Request request, Requests.Kind kind, Bytes message) {
            member.propose(List.of(member.prepare(kind, message, request)));
            for (int turn = 0; request.outcome == null; turn++) {
                assertThat(request.failure).isNull();
                assertThat(turn).as("turns until the answer").isLessThan(TURNS_MAX);
                turn();
            }
        }

        View linearizableView() {
            boolean[] ready = {false};
            member.read(new ReadAnswer() {
                @Override
                public void ready() {
                    ready[0] = true;
                }

                @Override
                public void failed(Failure failure) {
                    throw new AssertionError("a read failed: " + failure);
                }
            });
            for (int turn = 0; !ready[0]; turn++) {
                assertThat(turn).as("turns until a read is ready").isLessThan(TURNS_MAX);
                turn();
            }
            return member.view();
        }
    }

    /** Goes on with the script until it is done or the disk gives out; true if it is done. */
    private static boolean live(FaultyDisk disk, TurnClock clock, Random random, Book book) {
        String key = "";
        try {
            Life life = new Life(disk, clock, random);
            verify(life.linearizableView(), book);
            while (book.asked < REQUESTS) {
                book.asked++;
                if (random.nextInt(6) == 0) {
                    compact(life);
                    continue;
                }
                key = "k" + random.nextInt(6);
                book.unknown.put(key, true);
                boolean delete = random.nextInt(5) == 0;
                Request request = new Request();
                String value = "v" + book.asked + "-" + "x".repeat(random.nextInt(200));
                if (delete) {
                    life.ask(request, Requests.Kind.DELETE_RANGE, Bytes.of(DeleteRangeRequest.newBuilder()
                            .setKey(ByteString.copyFromUtf8(key)).build().toByteArray()));
                } else {
                    book.values.put(value, key);
                    life.ask(request, Requests.Kind.PUT, Bytes.of(PutRequest.newBuilder()
                            .setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFromUtf8(value)).build()
                            .toByteArray()));
                }
                note(book, key, request);
                if (random.nextInt(4) == 0) {
                    verify(life.linearizableView(), book);
                }
            }
            life.member.close();
            book.files.addAll(disk.list(LEDGER));
            return true;
        } catch (PowerCut | DiskFailure gaveOut) {
            return false;
        } catch (Damaged unreadable) {
            // A read that failed is damage to whoever asked; what is on the disk is another matter.
            assertThat(unreadable).hasCauseInstanceOf(DiskFailure.class);
            return false;
        }
    }

    /** Gives up all history; only this makes rewriting and checkpoints worth while. */
    private static void compact(Life life) {
        long revision = life.member.view().revision();
        Request request = new Request();
        life.ask(request, Requests.Kind.COMPACTION,
                Bytes.of(CompactionRequest.newBuilder().setRevision(revision).build().toByteArray()));
        assertThat(request.outcome).isIn(new Outcome.Compacted(life.member.view().revision()),
                new Outcome.Refused(Refusal.COMPACTED));
    }

    private static void note(Book book, String key, Request request) {
        switch (request.outcome) {
            case Outcome.Put put -> {
                String before = book.revisions.put(put.revision(), key);
                assertThat(before).as("revision %d was given before", put.revision()).isNull();
                book.acknowledged.put(key, put.revision());
            }
            case Outcome.Deleted deleted -> {
                if (deleted.count() > 0) {
                    String before = book.revisions.put(deleted.revision(), key);
                    assertThat(before).as("revision %d was given before", deleted.revision()).isNull();
                }
                book.acknowledged.put(key, -1L);
            }
            case null, default -> throw new AssertionError("unexpected outcome " + request.outcome);
        }
        book.unknown.remove(key);
    }

    private static void verify(View view, Book book) {
        for (Map.Entry<String, Long> entry : book.acknowledged.entrySet()) {
            if (book.unknown.containsKey(entry.getKey())) {
                continue;
            }
            Outcome.Ranged found = (Outcome.Ranged) view.range(Query.get(Bytes.utf8(entry.getKey())));
            if (entry.getValue() < 0) {
                assertThat(found.kvs()).as("deleted %s", entry.getKey()).isEmpty();
            } else {
                assertThat(found.kvs()).as("acknowledged %s", entry.getKey()).hasSize(1);
                assertThat(modRevision(found.kvs().getFirst())).as("revision of %s", entry.getKey())
                        .isEqualTo(entry.getValue());
            }
        }
        for (Bytes kv : ((Outcome.Ranged) view.range(Query.of(KeyRange.everything()))).kvs()) {
            assertThat(book.values).as("nobody asked for what is there").containsKey(value(kv));
        }
        if (!book.revisions.isEmpty()) {
            assertThat(view.revision()).isGreaterThanOrEqualTo(book.revisions.lastKey());
        }
    }

    private static dev.quoin.api.mvccpb.KeyValue parse(Bytes kv) {
        try {
            return dev.quoin.api.mvccpb.KeyValue.parseFrom(kv.toByteArray());
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new AssertionError("a stored KeyValue does not parse", e);
        }
    }

    private static long modRevision(Bytes kv) {
        return parse(kv).getModRevision();
    }

    private static String value(Bytes kv) {
        return parse(kv).getValue().toStringUtf8();
    }

    private interface Fault {
        void plan(FaultyDisk disk, long n);
    }

    private static void everyOperation(String what, Fault fault, boolean powerGoes) {
        int cuts = 0;
        TreeSet<String> files = new TreeSet<>();
        for (long seed = 0; seed < SEEDS; seed++) {
            long n = 1;
            boolean done = false;
            while (!done) {
                try {
                    done = oneFault(seed, n, fault, powerGoes, files);
                } catch (AssertionError | RuntimeException broken) {
                    throw new AssertionError(what + ", seed " + seed + ", operation " + n, broken);
                }
                n++;
                cuts++;
            }
            assertThat(n).as("the script meets the disk often").isGreaterThan(150);
        }
        assertThat(files).as("the script makes the housekeeper work").contains("checkpoint")
                .anyMatch(name -> name.endsWith(".packed"));
        System.out.println("PowerCutTest: " + what + ": " + cuts + " runs");
    }

    /** One run with the fault at operation {@code n}; true if the script was done before it came. */
    private static boolean oneFault(long seed, long n, Fault fault, boolean powerGoes, Set<String> files) {
        Random random = new Random(seed * 1_000_003 + n);
        FaultyDisk disk = new FaultyDisk(new Random(seed * 31 + n));
        TurnClock clock = new TurnClock();
        Book book = new Book();
        fault.plan(disk, n);
        // A fault may also come and change nothing: the disk had no room for something that can wait.
        boolean untouched = live(disk, clock, random, book) && disk.isFaultPlanned();
        // The fault is over; the member comes back, twice, and finishes the script.
        for (int life = 0; life < 2; life++) {
            if (powerGoes) {
                disk.restart();
            } else {
                disk.restartProcess();
            }
            assertThat(live(disk, clock, random, book)).as("life %d after the fault", life + 1).isTrue();
        }
        files.addAll(book.files);
        return untouched;
    }

    @Test
    void powerGoesAfterEveryOperation() {
        everyOperation("power cut after", (disk, n) -> disk.cutPowerAfter(n), true);
    }

    @Test
    void powerGoesBeforeEveryOperation() {
        everyOperation("power cut before", (disk, n) -> disk.cutPowerBefore(n), true);
    }

    @Test
    void everyOperationFails() {
        everyOperation("failure", (disk, n) -> disk.fail(n), false);
    }

    @Test
    void everySyncFailsAndThenThePowerGoes() {
        everyOperation("failed change, then power cut",
                (disk, n) -> disk.fail(n, FaultyDisk.Operation.CHANGES.toArray(FaultyDisk.Operation[]::new)), true);
    }
}
