package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A cluster of one: what it may say, and when. */
class RaftCoreTest {
    private static final long ID = 7;
    private static final ConfState ALONE = new ConfState(List.of(ID), List.of());
    private static final Entry FIRST = new Entry(1, 1, EntryKind.CONF_CHANGE, Bytes.utf8("member 7"));

    private static RaftCore core(Restart restart) {
        return new RaftCore(restart, Rules.etcd(10), RaftLimits.DEFAULT, bound -> 0);
    }

    private static RaftCore fresh() {
        return core(new Restart(ID, new HardState(1, 0, 1), ALONE, 0, 0, List.of(FIRST), 1));
    }

    private static Input propose(String... data) {
        List<Input.Proposal> proposals = new ArrayList<>();
        for (String text : data) {
            proposals.add(new Input.Proposal(EntryKind.NORMAL, Bytes.utf8(text)));
        }
        return new Input.Proposed(proposals);
    }

    private static <T extends Effect> List<T> only(Class<T> type, List<Effect> effects) {
        return effects.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private static Effect.Persist persist(List<Effect> effects) {
        List<Effect.Persist> found = only(Effect.Persist.class, effects);
        assertThat(found).as("writes asked for").hasSize(1);
        return found.getFirst();
    }

    /** A leader whose first entry is committed. */
    private static RaftCore leader() {
        RaftCore core = fresh();
        Effect.Persist own = persist(core.step(new Input.Campaign()));
        Effect.Persist first = persist(core.step(new Input.Persisted(own.ticket())));
        Effect.Persist commit = persist(core.step(new Input.Persisted(first.ticket())));
        core.step(new Input.Persisted(commit.ticket()));
        core.step(new Input.Applied(2));
        return core;
    }

    @Test
    void itLeadsOnlyOnceItsOwnVoteIsOnDisk() {
        RaftCore core = fresh();

        Effect.Persist vote = persist(core.step(new Input.Campaign()));

        assertThat(vote.sync()).isTrue();
        assertThat(vote.state()).isEqualTo(new HardState(2, ID, 1));
        assertThat(core.isLeader()).isFalse();
        List<Effect> effects = core.step(new Input.Persisted(vote.ticket()));
        assertThat(core.isLeader()).isTrue();
        assertThat(effects).contains(new Effect.LeaderChanged(ID, 2));
        assertThat(persist(effects).entries()).containsExactly(new Entry(2, 2, EntryKind.NORMAL, Bytes.EMPTY));
    }

    @Test
    void silenceMakesItStandForElection() {
        RaftCore core = fresh();
        for (int tick = 1; tick < 10; tick++) {
            assertThat(core.step(new Input.Tick())).as("tick %d", tick).isEmpty();
        }
        assertThat(persist(core.step(new Input.Tick())).state().vote()).isEqualTo(ID);
    }

    @Test
    void nothingIsCommittedBeforeItIsOnDisk() {
        RaftCore core = leader();

        Effect.Persist write = persist(core.step(propose("a", "b")));

        assertThat(write.sync()).isTrue();
        assertThat(write.entries()).extracting(Entry::index).containsExactly(3L, 4L);
        assertThat(core.committedIndex()).isEqualTo(2);
        List<Effect> effects = core.step(new Input.Persisted(write.ticket()));
        assertThat(only(Effect.Commit.class, effects)).containsExactly(new Effect.Commit(write.entries()));
        assertThat(core.committedIndex()).isEqualTo(4);
    }

    @Test
    void theNoteOfACommitNeedsNoSync() {
        RaftCore core = leader();
        Effect.Persist write = persist(core.step(propose("a")));

        Effect.Persist note = persist(core.step(new Input.Persisted(write.ticket())));

        assertThat(note.sync()).isFalse();
        assertThat(note.entries()).isEmpty();
        assertThat(note.state()).isEqualTo(new HardState(2, ID, 3));
        assertThat(core.step(new Input.Persisted(note.ticket()))).isEmpty();
    }

    @Test
    void aLateDiskHoldsUpWhatIsBehindItAndNothingElse() {
        RaftCore core = leader();
        Effect.Persist a = persist(core.step(propose("a")));
        Effect.Persist b = persist(core.step(propose("b")));

        List<Effect> effects = core.step(new Input.Persisted(a.ticket()));

        assertThat(only(Effect.Commit.class, effects)).containsExactly(new Effect.Commit(a.entries()));
        effects = core.step(new Input.Persisted(b.ticket()));
        assertThat(only(Effect.Commit.class, effects)).containsExactly(new Effect.Commit(b.entries()));
    }

    @Test
    void aReadWaitsUntilTheLeadersOwnTermHasCommitted() {
        RaftCore core = fresh();
        assertThat(core.step(new Input.ReadRequested(1))).isEmpty();
        Effect.Persist vote = persist(core.step(new Input.Campaign()));
        List<Effect> effects = core.step(new Input.Persisted(vote.ticket()));
        assertThat(only(Effect.ReadReady.class, effects)).isEmpty();

        effects = core.step(new Input.Persisted(persist(effects).ticket()));

        assertThat(only(Effect.ReadReady.class, effects)).containsExactly(new Effect.ReadReady(1, 2));
        assertThat(core.step(new Input.ReadRequested(2))).containsExactly(new Effect.ReadReady(2, 2));
    }

    @Test
    void whatWasAppliedIsCommittedEvenIfTheNoteOfItWasLost() {
        List<Entry> tail = LongStream.rangeClosed(1, 5)
                .mapToObj(i -> new Entry(1, i, EntryKind.NORMAL, Bytes.utf8("e" + i))).toList();
        RaftCore core = core(new Restart(ID, new HardState(1, ID, 2), ALONE, 0, 0, tail, 4));
        assertThat(core.committedIndex()).isEqualTo(4);

        Effect.Persist vote = persist(core.step(new Input.Campaign()));
        Effect.Persist first = persist(core.step(new Input.Persisted(vote.ticket())));
        List<Effect> effects = core.step(new Input.Persisted(first.ticket()));

        // Entry 5 is of an older term: the leader's own entry 6 commits it.
        assertThat(only(Effect.Commit.class, effects).getFirst().entries()).extracting(Entry::index)
                .containsExactly(5L, 6L);
    }

    @Test
    void aCommitBeyondTheLogIsRefused() {
        assertThatThrownBy(() -> core(new Restart(ID, new HardState(1, 0, 2), ALONE, 0, 0, List.of(FIRST), 1)))
                .isInstanceOf(Invariant.Violation.class).hasMessage("commit 2 is beyond the end of the log, 1");
    }

    /** Random schedules of proposals, late disks, reads and restarts: what was committed once stays, in one order. */
    @Test
    void randomSchedulesKeepEveryCommittedEntry() {
        for (long seed = 0; seed < 300; seed++) {
            runSchedule(seed);
        }
    }

    private static void runSchedule(long seed) {
        Random random = new Random(seed);
        RaftCore core = fresh();
        List<Entry> written = new ArrayList<>(List.of(FIRST));
        HardState state = new HardState(1, 0, 1);
        List<Entry> applied = new ArrayList<>(List.of(FIRST));
        List<Effect.Persist> onTheWay = new ArrayList<>();
        long readId = 0;
        for (int event = 0; event < 200; event++) {
            List<Effect> effects = switch (random.nextInt(6)) {
                case 0 -> core.step(new Input.Tick());
                case 1 -> core.isLeader() ? core.step(propose("x" + event)) : core.step(new Input.Campaign());
                case 2 -> core.step(new Input.ReadRequested(++readId));
                case 3, 4 -> {
                    if (onTheWay.isEmpty()) {
                        yield List.<Effect>of();
                    }
                    Effect.Persist done = onTheWay.removeFirst();
                    written.addAll(done.entries());
                    state = done.state();
                    yield core.step(new Input.Persisted(done.ticket()));
                }
                default -> {
                    if (random.nextInt(8) != 0) {
                        yield core.step(new Input.Applied(applied.getLast().index()));
                    }
                    onTheWay.clear();
                    core = core(new Restart(ID, state, ALONE, 0, 0, written, applied.getLast().index()));
                    yield List.<Effect>of();
                }
            };
            for (Effect effect : effects) {
                switch (effect) {
                    case Effect.Persist persist -> onTheWay.add(persist);
                    case Effect.Commit(List<Entry> entries) -> applied.addAll(entries);
                    case Effect.ReadReady(long id, long index) ->
                        assertThat(index).as("seed %d", seed).isGreaterThanOrEqualTo(applied.getLast().index());
                    case Effect.LeaderChanged changed -> {}
                    case Effect.Noted noted -> {}
                    case Effect.Send(var message) -> throw new AssertionError("seed " + seed + ": " + message);
                    case Effect.Install(var snapshot) -> throw new AssertionError("seed " + seed + ": " + snapshot);
                    case Effect.ConfigurationChanged changed -> throw new AssertionError("seed " + seed);
                    case Effect.Dropped dropped -> throw new AssertionError("seed " + seed + ": " + dropped);
                }
            }
            assertThat(applied).as("seed %d: applied is a prefix of what is on disk", seed)
                    .isEqualTo(written.subList(0, applied.size()));
        }
        assertThat(applied.size()).as("seed %d made progress", seed).isGreaterThan(3);
    }
}
