package dev.quoin.member;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.FaultyDisk.Operation;
import dev.quoin.disk.memory.PowerCut;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.raft.Effect;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.HardState;
import dev.quoin.raft.RaftLimits;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.store.Command;
import dev.quoin.store.HashWalk;
import dev.quoin.store.KeyHash;
import dev.quoin.store.Store;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A member that is sent a state, twice, on a disk that loses power, or fails, at every single operation: before, while it
 * arrives, while it takes the place of the old one, and after. Whatever was acknowledged is there after the restart; the
 * store is that of its applied index, of the one history or of the other; one ledger is left, and the member goes on.
 */
class InstallFaultTest {
    private static final Path ROOT = Path.of("/data");
    private static final long TERM = StoreByHand.TERM;
    private static final MemberLimits LIMITS = new MemberLimits(Duration.ofMillis(100).toNanos(), 10,
            Duration.ofSeconds(7).toNanos(), 5_000, 1 << 20, Duration.ofMillis(100).toNanos(), 8, 1, 1, 0,
            WalLimits.ofSegmentBytes(2_048), new LedgerLimits(8_192, 2_048, 4_096),
            new HousekeepingLimits(1, 2, 300, 1_500, 1, 1L << 40), RaftLimits.DEFAULT);
    private static final MemberConfig CONFIG = MemberConfig.alone("m", ROOT, List.of("http://localhost:2380"),
            List.of("http://localhost:2379"), "etcd-cluster", "3.7.1", LIMITS);
    /** Where the leader is when it sends its state. */
    private static final long[] SENT_AT = {40, 80};
    private static final long LAST = 86;
    private static final long PUTS = 5;

    /** By index. */
    private static final Map<Long, Sent> SENT = new HashMap<>();

    private record Sent(SnapshotMeta meta, Bytes bytes, KeyHash hash) {}

    @BeforeAll
    static void prepare() {
        StoreByHand leader = new StoreByHand(new FaultyDisk(new Random(1)), Path.of("/leader/ledger"),
                StoreByHand.MEMBERS);
        Random random = new Random(2);
        for (long index : SENT_AT) {
            while (leader.index() < index) {
                leader.change(random, 1);
            }
            StateSnapshot state = leader.snapshot();
            SENT.put(index, new Sent(state.meta(), Bytes.of(StoreByHand.bytes(state)), hash(leader.store())));
        }
    }

    private static KeyHash hash(Store store) {
        return ((HashWalk) store.view().hash(0)).run();
    }

    /** What is known of all lives. */
    private static final class Book {
        /** By applied index. */
        private final Map<Long, KeyHash> hashes = new HashMap<>();
        private long acknowledged;
    }

    /** A life: the log and the store, and what the loops between them do. */
    private static final class Life {
        private final FaultyDisk disk;
        private final DataDirectory directory = new DataDirectory(ROOT);
        private final LedgerDirectories ledgers;
        private final Book book;
        private final Startup startup;
        private final LogWriter log;
        private Store store;
        private Ledger ledger;
        private Path path;
        private long last;
        private long ticket;
        private long persisted;

        Life(FaultyDisk disk, Book book) {
            this.disk = disk;
            this.book = book;
            disk.createDirectories(directory.member());
            startup = Startup.on(disk, directory, CONFIG, Events.NONE);
            ledgers = new LedgerDirectories(disk, directory);
            log = new LogWriter(startup.wal(), new DiskRoom(Events.NONE), ledgers::markInstalled,
                    done -> persisted = done, new StillClock(), MemberMetrics.NONE);
            store = startup.opened().store();
            ledger = startup.opened().ledger();
            last = startup.restart().baseIndex() + startup.restart().entries().size();
            path = ledgers.inForce(startup.restart().baseIndex());
            check();
            long applied = startup.restart().applied();
            for (Entry entry : startup.restart().entries()) {
                if (entry.index() > applied) {
                    apply(entry.index());
                }
            }
        }

        private void check() {
            long base = startup.restart().baseIndex();
            long applied = startup.restart().applied();
            assertThat(last).as("the end of the log").isGreaterThanOrEqualTo(book.acknowledged);
            assertThat(startup.restart().hardState().commit()).isBetween(base, last);
            assertThat(disk.list(directory.member()).stream().filter(LedgerDirectories::isLedger)).as("ledgers")
                    .containsExactly(path.getFileName().toString());
            assertThat(!disk.exists(directory.snap()) || disk.list(directory.snap()).isEmpty()).isTrue();
            if (applied > 1) {
                assertThat(hash(store)).as("the state at %d", applied).isEqualTo(book.hashes.get(applied));
            }
        }

        void close() {
            ledger.close();
            startup.wal().close();
        }

        /** Goes on from wherever it is, to the end. */
        void run() {
            for (long index : SENT_AT) {
                if (last < index) {
                    put();
                    put();
                    receive(index);
                }
                while (last < index + PUTS && last >= index) {
                    put();
                }
            }
            while (last < LAST) {
                put();
            }
        }

        private void put() {
            long index = last + 1;
            persist(null, List.of(new Entry(TERM, index, EntryKind.NORMAL, Bytes.utf8("entry " + index))), index);
            apply(index);
            Ledger.Commit durable = ledger.durable();
            if (index % 2 == 0 && durable != null && durable.appliedIndex() > 1) {
                log.mailbox().put(new LogWriter.Message.Release(
                        new WalSnapshot(durable.appliedIndex(), durable.term(), durable.configuration()), 1));
                log.turn();
            }
        }

        private void apply(long index) {
            if (index > 1) {
                store.apply(Command.Put.of(Bytes.utf8("k" + index % 3), Bytes.utf8("v" + index)));
            }
            store.publish();
            book.hashes.put(index, hash(store));
            ledger.commit(index, index == 1 ? 1 : TERM, StoreByHand.MEMBERS.encodeConfState());
            if (index % 3 != 0) {
                ledger.flush();
            }
        }

        private void persist(@Nullable SnapshotMeta snapshot, List<Entry> entries, long commit) {
            log.mailbox().put(new LogWriter.Message.Write(new Effect.Persist(++ticket, snapshot, entries,
                    new HardState(TERM, 7, commit), true)));
            log.turn();
            assertThat(persisted).isEqualTo(ticket);
            last = commit;
            book.acknowledged = commit;
        }

        private void receive(long index) {
            Sent sent = Objects.requireNonNull(SENT.get(index));
            SnapshotReception reception = SnapshotReception.begin(disk, directory, LIMITS, Events.NONE, sent.meta());
            reception.write(sent.bytes().array(), 0, sent.bytes().length());
            ReceivedState received = reception.finish(() -> {});
            book.hashes.put(index, sent.hash());
            if (index == SENT_AT[1] && !path.equals(ledgers.of(SENT_AT[0]))) {
                throw new AssertionError("the second state comes upon the first");
            }
            // What was on its way to the log when the state came is void.
            log.mailbox().put(new LogWriter.Message.Write(new Effect.Persist(++ticket, null,
                    List.of(new Entry(TERM, last + 1, EntryKind.NORMAL, Bytes.utf8("void"))),
                    new HardState(TERM, 7, last), true)));
            persist(sent.meta(), List.of(), index);
            ledger.close();
            ledgers.delete(path);
            store = received.opened().store();
            ledger = received.opened().ledger();
            path = received.opened().directory();
        }
    }

    private interface Fault {
        void plan(FaultyDisk disk, long n);
    }

    private static void everyOperation(String what, Fault fault, boolean powerGoes) {
        long n = 0;
        boolean done = false;
        while (!done) {
            n++;
            try {
                done = oneFault(n, fault, powerGoes);
            } catch (AssertionError | RuntimeException broken) {
                throw new AssertionError(what + ", operation " + n, broken);
            }
        }
        assertThat(n).as("the script meets the disk often").isGreaterThan(200);
        System.out.println("InstallFaultTest: " + what + ": " + n + " runs");
    }

    /** True if the script was done before the fault came. */
    private static boolean oneFault(long n, Fault fault, boolean powerGoes) {
        FaultyDisk disk = new FaultyDisk(new Random(31 * n));
        Book book = new Book();
        fault.plan(disk, n);
        boolean untouched = live(disk, book);
        for (int life = 0; life < 2; life++) {
            if (powerGoes) {
                disk.restart();
            } else {
                disk.restartProcess();
            }
            assertThat(live(disk, book)).as("life %d after the fault", life + 1).isTrue();
        }
        return untouched;
    }

    private static boolean live(FaultyDisk disk, Book book) {
        List<Life> opened = new ArrayList<>();
        try {
            opened.add(new Life(disk, book));
            opened.getFirst().run();
            assertThat(opened.getFirst().last).isEqualTo(LAST);
            opened.getFirst().close();
            return true;
        } catch (PowerCut | DiskFailure gaveOut) {
            return false;
        } catch (SnapshotRefused | Damaged unreadable) {
            // A read that failed is damage to whoever asked; what is on the disk is another matter.
            assertThat(unreadable).hasRootCauseInstanceOf(DiskFailure.class);
            return false;
        }
    }

    @Test
    void powerGoesAfterEveryOperation() {
        everyOperation("power cut after", (disk, n) -> disk.cutPowerAfter(n), true);
    }

    @Test
    void powerGoesBeforeEveryChange() {
        everyOperation("power cut before", (disk, n) -> disk.cutPowerBefore(n,
                Operation.CHANGES.toArray(Operation[]::new)), true);
    }

    @Test
    void everyOperationFails() {
        everyOperation("failure", (disk, n) -> disk.fail(n), false);
    }

    @Test
    void everyChangeFailsAndThenThePowerGoes() {
        everyOperation("failed change, then power cut",
                (disk, n) -> disk.fail(n, Operation.CHANGES.toArray(Operation[]::new)), true);
    }
}
