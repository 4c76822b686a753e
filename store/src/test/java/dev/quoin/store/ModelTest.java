package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** The store against the model. A failure names its seed; {@code new Sequence(seed).run()} brings it back. */
class ModelTest {
    private static final int SEQUENCES = 3000;
    private static final int COMMANDS = 60;

    @Test
    void storeAndModelAgreeOnEverythingThatCanBeSeen() {
        long first = 20260101;
        System.out.printf("seeds %d to %d%n", first, first + SEQUENCES - 1);
        for (long seed = first; seed < first + SEQUENCES; seed++) {
            new Sequence(seed).run();
        }
    }

    /** What was published at some time, and what the model said then. */
    private record Kept(View view, long revision, long compacted) {}

    private static final class Sequence {
        private final long seed;
        private final Chance chance;
        private final Model model = new Model();
        private final MemoryRecords records = new MemoryRecords();
        private Store store = new Store(records, MemoryRecords.MIN_LEASE_TTL);
        private final MemoryRecords deafRecords = new MemoryRecords();
        private final Store deaf = new Store(deafRecords, MemoryRecords.MIN_LEASE_TTL);
        private final List<Kept> kept = new ArrayList<>();

        private Sequence(long seed) {
            this.seed = seed;
            this.chance = new Chance(seed);
            store.restored();
            deaf.restored();
        }

        private void run() {
            boolean restoresOften = seed % 10 == 0;
            for (int i = 0; i < COMMANDS; i++) {
                step();
                if (chance.oneIn(2)) {
                    publish();
                }
                if (restoresOften || chance.oneIn(20)) {
                    restore();
                }
            }
            publish();
            restore();
            // What was published long ago has not changed.
            for (Kept one : kept) {
                ask(one);
            }
            assertThat(deafRecords.lines).as("seed %d", seed).isEqualTo(records.lines);
        }

        /** A store rebuilt from the records is the same; sometimes it takes over. */
        private void restore() {
            Store restored = records.restore(records.lines.size());
            Dump.assertSame(restored, store, "seed " + seed);
            store = chance.oneIn(2) ? restored : store;
        }

        private void step() {
            Command command = chance.command(model.revision);
            Outcome expected = model.apply(command);
            Outcome actual = store.apply(command);
            assertThat(actual).as("seed %d: %s", seed, command).isEqualTo(expected);
            for (Lease lease : store.leases()) {
                assertThat(store.leaseKeys(lease.id())).as("seed %d: %s", seed, command)
                        .containsExactlyElementsOf(model.keysOf(lease.id()));
            }
            assertThat(store.leases()).as("seed %d: %s", seed, command).isEqualTo(List.copyOf(model.leases.values()));
            Outcome unheard = deaf.applyUnheard(command);
            assertThat(Dump.bare(unheard)).as("seed %d: unheard %s", seed, command).isEqualTo(Dump.bare(expected));
        }

        private void publish() {
            store.publish();
            Kept now = new Kept(store.view(), model.revision, model.compacted);
            kept.add(now);
            ask(now);
        }

        private void ask(Kept then) {
            assertThat(then.view.revision()).isEqualTo(then.revision);
            assertThat(then.view.compactedRevision()).isEqualTo(then.compacted);
            assertThat(then.view.keyCount()).as("seed %d", seed).isEqualTo(model.stateAt(then.revision).size());
            Query query = chance.query(then.revision);
            assertThat(then.view.range(query)).as("seed %d: %s", seed, query)
                    .isEqualTo(model.ask(query, then.revision, then.compacted));
            checkPlan(then.view, query);
            if (then.revision == model.revision && then.compacted == model.compacted) {
                Command.Txn txn = chance.readOnlyTxn(then.revision);
                assertThat(then.view.read(txn)).as("seed %d: %s", seed, txn).isEqualTo(model.read(txn));
            }
        }

        /** A plan tells the sizes before anything is read, and then what the range answers. */
        private void checkPlan(View view, Query query) {
            long reads = records.reads;
            Plan plan = view.plan(query);
            if (plan instanceof Plan.Refused(Refusal reason)) {
                assertThat(view.range(query)).isEqualTo(new Outcome.Refused(reason));
                return;
            }
            Plan.Found found = (Plan.Found) plan;
            boolean readsValues = query.target() == Query.Target.VALUE;
            List<Integer> lengths = new ArrayList<>();
            for (int number = 0; number < found.size(); number++) {
                lengths.add(found.length(number));
            }
            assertThat(readsValues || records.reads == reads).as("seed %d: %s reads", seed, query).isTrue();
            List<Bytes> kvs = new ArrayList<>();
            for (int number = 0; number < found.size(); number++) {
                kvs.add(found.kv(number));
                long position = found.position(number);
                assertThat(position == Plan.Found.NO_POSITION).isEqualTo(query.keysOnly());
                assertThat(query.keysOnly() || records.read(position).equals(kvs.getLast())).isTrue();
            }
            assertThat(lengths).as("seed %d: %s", seed, query).isEqualTo(kvs.stream().map(Bytes::length).toList());
            assertThat(new Outcome.Ranged(found.revision(), kvs, found.count(), found.more()))
                    .as("seed %d: %s", seed, query).isEqualTo(view.range(query));
        }
    }
}
