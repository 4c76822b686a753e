package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** One of three members, and what the others say to it, by hand: what the transcripts do not tell. */
class RaftClusterTest {
    private static final long SELF = 1;
    private static final long PEER = 2;
    private static final long THIRD = 3;
    private static final ConfState THREE = new ConfState(List.of(SELF, PEER, THIRD), List.of());
    private static final Rules RULES = Rules.etcd(10);

    private static Entry entry(long term, long index) {
        return new Entry(term, index, EntryKind.NORMAL, Bytes.utf8("e" + index));
    }

    private static RaftCore core(Rules rules, RaftLimits limits, List<Entry> log, long commit, long applied) {
        return new RaftCore(new Restart(SELF, new HardState(5, 0, commit), THREE, 0, 0, log, applied), rules, limits,
                bound -> 0);
    }

    private static RaftCore follower() {
        return core(RULES, RaftLimits.DEFAULT, List.of(entry(1, 1)), 1, 1);
    }

    /** Of term 6, whose first entry is 2 and not committed. */
    private static RaftCore leader(Rules rules, RaftLimits limits) {
        RaftCore core = core(rules, limits, List.of(entry(1, 1)), 1, 1);
        act(core, new Input.Campaign());
        act(core, new Input.Received(new Message.VoteAnswer(PEER, SELF, 6, true, true)));
        act(core, new Input.Received(new Message.VoteAnswer(PEER, SELF, 6, false, true)));
        assertThat(core.isLeader()).isTrue();
        return core;
    }

    private static RaftCore leader() {
        return leader(RULES, RaftLimits.DEFAULT);
    }

    /** A leader that has committed in its term. */
    private static RaftCore establishedLeader() {
        RaftCore core = leader();
        act(core, accepted(PEER, 2));
        assertThat(core.committedIndex()).isEqualTo(2);
        return core;
    }

    private static Input accepted(long from, long index) {
        return new Input.Received(new Message.AppendAccepted(from, SELF, 6, index));
    }

    private static Input propose(String data) {
        return new Input.Proposed(List.of(new Input.Proposal(EntryKind.NORMAL, Bytes.utf8(data))));
    }

    /** Performs writes at once, and applies at once what is committed. */
    private static List<Effect> act(RaftCore core, Input input) {
        List<Effect> all = new ArrayList<>(core.step(input));
        for (int i = 0; i < all.size(); i++) {
            switch (all.get(i)) {
                case Effect.Persist persist -> all.addAll(core.step(new Input.Persisted(persist.ticket())));
                case Effect.Commit commit ->
                    all.addAll(core.step(new Input.Applied(commit.entries().getLast().index())));
                default -> {}
            }
        }
        return all;
    }

    private static List<Message> sent(List<Effect> effects) {
        return effects.stream().filter(Effect.Send.class::isInstance).map(one -> ((Effect.Send) one).message())
                .toList();
    }

    private static <T extends Message> List<T> sent(Class<T> type, List<Effect> effects) {
        return sent(effects).stream().filter(type::isInstance).map(type::cast).toList();
    }

    // Durability

    @Test
    void aVoteIsGivenOnlyOnceItIsOnDisk() {
        RaftCore core = follower();
        List<Effect> effects = core
                .step(new Input.Received(new Message.VoteRequest(PEER, SELF, 6, false, 1, 1, false)));
        assertThat(sent(effects)).isEmpty();
        long ticket = effects.stream().filter(Effect.Persist.class::isInstance).map(Effect.Persist.class::cast)
                .findFirst().orElseThrow().ticket();
        assertThat(sent(core.step(new Input.Persisted(ticket))))
                .containsExactly(new Message.VoteAnswer(SELF, PEER, 6, false, true));
    }

    @Test
    void entriesAreAcknowledgedOnlyOnceTheyAreOnDisk() {
        RaftCore core = follower();
        List<Effect> first = core
                .step(new Input.Received(new Message.Append(PEER, SELF, 5, 1, 1, List.of(entry(5, 2)), 1)));
        List<Effect> second = core
                .step(new Input.Received(new Message.Append(PEER, SELF, 5, 2, 5, List.of(entry(5, 3)), 2)));
        assertThat(sent(first)).isEmpty();
        assertThat(sent(second)).isEmpty();
        assertThat(sent(core.step(new Input.Persisted(1))))
                .containsExactly(new Message.AppendAccepted(SELF, PEER, 5, 2));
        assertThat(sent(core.step(new Input.Persisted(2))))
                .containsExactly(new Message.AppendAccepted(SELF, PEER, 5, 3));
    }

    /** A new leader replaces entry 2 while its write is under way: the write says nothing of the new one. */
    @Test
    void aLateWriteVouchesOnlyForWhatIsStillThere() {
        RaftCore core = follower();
        core.step(new Input.Received(new Message.Append(PEER, SELF, 5, 1, 1, List.of(entry(5, 2)), 1)));
        core.step(new Input.Received(new Message.Append(THIRD, SELF, 6, 1, 1, List.of(entry(6, 2)), 2)));
        assertThat(core.step(new Input.Persisted(1))).noneMatch(Effect.Commit.class::isInstance);
        assertThat(core.step(new Input.Persisted(2))).contains(new Effect.Commit(List.of(entry(6, 2))));
    }

    /** The leader has committed 3 of its own; this log's 2 and 3 are not known to be those. */
    @Test
    void aCommitIndexCountsOnlyAsFarAsTheLogsAreKnownToAgree() {
        RaftCore core = core(RULES, RaftLimits.DEFAULT, List.of(entry(1, 1), entry(4, 2), entry(4, 3)), 1, 1);
        act(core, new Input.Received(new Message.Append(PEER, SELF, 5, 1, 1, List.of(), 3)));
        assertThat(core.committedIndex()).isEqualTo(1);
        act(core, new Input.Received(new Message.Append(PEER, SELF, 5, 1, 1, List.of(entry(5, 2)), 3)));
        assertThat(core.committedIndex()).isEqualTo(2);
        assertThat(core.lastIndex()).isEqualTo(2);
    }

    /** A commit index alone is not promised to anybody, so nobody waits for its write. */
    @Test
    void anAnswerDoesNotWaitForTheNoteOfACommit() {
        RaftCore core = follower();
        act(core, new Input.Received(new Message.Append(PEER, SELF, 5, 1, 1, List.of(entry(5, 2)), 1)));
        List<Effect> effects = core.step(new Input.Received(new Message.Append(PEER, SELF, 5, 2, 5, List.of(), 2)));
        assertThat(effects).anyMatch(one -> one instanceof Effect.Persist persist && !persist.sync());
        assertThat(sent(effects)).containsExactly(new Message.AppendAccepted(SELF, PEER, 5, 2));
    }

    /** Member 2 was added by entry 2 and is gone by the snapshot; entry 2 is applied only after the snapshot came. */
    @Test
    void aSnapshotOvertakesAChangeOfMembersThatIsBeingApplied() {
        ConfState two = new ConfState(List.of(SELF, THIRD), List.of());
        ConfChange add = ConfChange.single(ConfChange.Kind.ADD_VOTER, PEER);
        List<Entry> log = List.of(entry(1, 1), new Entry(2, 2, EntryKind.CONF_CHANGE, add.encodeSingle()));
        RaftCore core = new RaftCore(new Restart(SELF, new HardState(5, 0, 2), two, 0, 0, log, 1), RULES,
                RaftLimits.DEFAULT, bound -> 0);
        core.step(new Input.Tick());
        core.step(new Input.Received(new Message.InstallSnapshot(THIRD, SELF, 5, new SnapshotMeta(9, 5, two))));
        core.step(new Input.Reconfigured(2, add));
        core.step(new Input.Applied(2));
        assertThat(core.members()).isEqualTo(two);
    }

    // Elections

    @Test
    void nobodyCampaignsBeforeACommittedChangeOfMembersIsApplied() {
        ConfChange change = ConfChange.single(ConfChange.Kind.REMOVE, THIRD);
        List<Entry> log = List.of(entry(1, 1), new Entry(2, 2, EntryKind.CONF_CHANGE, change.encodeSingle()));
        RaftCore core = core(RULES, RaftLimits.DEFAULT, log, 2, 1);
        assertThat(core.step(new Input.Campaign())).contains(new Effect.Noted(new Event.CampaignBlocked(5)));
        core.step(new Input.Reconfigured(2, change));
        core.step(new Input.Applied(2));
        assertThat(core.step(new Input.Campaign())).contains(new Effect.Noted(new Event.ElectionStarted(5)));
    }

    @Test
    void chanceSpreadsElections() {
        for (int luck : List.of(0, 7)) {
            RaftCore core = new RaftCore(
                    new Restart(SELF, new HardState(5, 0, 1), THREE, 0, 0, List.of(entry(1, 1)), 1),
                    RULES, RaftLimits.DEFAULT, bound -> luck);
            for (int tick = 1; tick < 10 + luck; tick++) {
                assertThat(core.step(new Input.Tick())).as("luck %d, tick %d", luck, tick).isEmpty();
            }
            assertThat(sent(Message.VoteRequest.class, core.step(new Input.Tick()))).hasSize(2);
        }
    }

    // Reads

    @Test
    void aReadWaitsForAQuorumThatStillFollows() {
        RaftCore core = establishedLeader();
        List<Effect> effects = act(core, new Input.ReadRequested(77));
        List<Message.Heartbeat> asked = sent(Message.Heartbeat.class, effects);
        assertThat(asked).extracting(Message.Heartbeat::to).containsExactly(PEER, THIRD);
        assertThat(effects).noneMatch(Effect.ReadReady.class::isInstance);
        assertThat(asked.getFirst().context()).isEqualTo(Bytes.of(new byte[]{1, 0, 0, 0, 0, 0, 0, 0}));
        assertThat(act(core, new Input.Received(new Message.HeartbeatAnswer(THIRD, SELF, 6,
                asked.getFirst().context())))).contains(new Effect.ReadReady(77, 2));
    }

    @Test
    void oneEchoConfirmsAllReadsBeforeIt() {
        RaftCore core = establishedLeader();
        act(core, new Input.ReadRequested(1));
        act(core, new Input.Received(new Message.ReadIndex(THIRD, SELF, Bytes.utf8("theirs"))));
        List<Effect> effects = act(core, new Input.ReadRequested(2));
        Bytes newest = sent(Message.Heartbeat.class, effects).getFirst().context();
        effects = act(core, new Input.Received(new Message.HeartbeatAnswer(PEER, SELF, 6, newest)));
        assertThat(effects).contains(new Effect.ReadReady(1, 2), new Effect.ReadReady(2, 2));
        assertThat(sent(Message.ReadIndexAnswer.class, effects))
                .containsExactly(new Message.ReadIndexAnswer(SELF, THIRD, 6, 2, Bytes.utf8("theirs")));
    }

    @Test
    void aFollowerAsksItsLeader() {
        RaftCore core = follower();
        assertThat(sent(core.step(new Input.ReadRequested(0x0102L)))).as("nobody to ask").isEmpty();
        List<Effect> effects = core.step(new Input.Received(new Message.Heartbeat(PEER, SELF, 5, 1, Bytes.EMPTY)));
        Bytes context = Bytes.of(new byte[]{0, 0, 0, 0, 0, 0, 1, 2});
        assertThat(sent(Message.ReadIndex.class, effects)).containsExactly(new Message.ReadIndex(SELF, PEER, context));
        assertThat(core.step(new Input.Received(new Message.ReadIndexAnswer(PEER, SELF, 5, 1, context))))
                .containsExactly(new Effect.ReadReady(0x0102L, 1));
    }

    /** This node asked a leader that has meanwhile become a follower of this node. */
    @Test
    void whatComesBackIsItsOwn() {
        RaftCore core = establishedLeader();
        Bytes context = Bytes.of(new byte[]{0, 0, 0, 0, 0, 0, 0, 7});
        act(core, new Input.Received(new Message.ReadIndex(SELF, SELF, context)));
        Bytes round = Bytes.of(new byte[]{1, 0, 0, 0, 0, 0, 0, 0});
        assertThat(act(core, new Input.Received(new Message.HeartbeatAnswer(PEER, SELF, 6, round))))
                .contains(new Effect.ReadReady(7, 2));
        long last = core.lastIndex();
        act(core, new Input.Received(new Message.Propose(SELF, SELF,
                List.of(new Input.Proposal(EntryKind.NORMAL, Bytes.utf8("a"))))));
        assertThat(core.lastIndex()).isEqualTo(last + 1);
    }

    @Test
    void readsOutliveTheirLeader() {
        RaftCore core = establishedLeader();
        act(core, new Input.ReadRequested(5));
        List<Effect> effects = act(core, new Input.Received(new Message.Heartbeat(THIRD, SELF, 7, 2, Bytes.EMPTY)));
        assertThat(sent(Message.ReadIndex.class, effects)).extracting(Message.ReadIndex::to).containsExactly(THIRD);
    }

    @Test
    void aLeaseNeedsNoQuorum() {
        RaftCore core = leader(new Rules(10, 1, true, true, true, false, true, true), RaftLimits.DEFAULT);
        assertThat(act(core, new Input.ReadRequested(1))).noneMatch(Effect.ReadReady.class::isInstance);
        assertThat(act(core, accepted(PEER, 2))).contains(new Effect.ReadReady(1, 2));
        assertThat(act(core, new Input.ReadRequested(2))).contains(new Effect.ReadReady(2, 2));
    }

    @Test
    void theReadsOfOthersThatWaitHaveABound() {
        RaftCore core = leader(RULES, new RaftLimits(1_000, 10, 10_000, 10_000, 10, 1, 0, 1_000, 1_000));
        Message.ReadIndex read = new Message.ReadIndex(PEER, SELF, Bytes.utf8("a"));
        assertThat(act(core, new Input.Received(read))).isEmpty();
        assertThat(act(core, new Input.Received(read)))
                .containsExactly(new Effect.Noted(new Event.Refused(read, Event.Refusal.TOO_MANY_READS)));
    }

    // Bounds

    @Test
    void whatIsNotAppliedHasABound() {
        RaftLimits limits = new RaftLimits(1_000, 10, 10_000, 10_000, 10, 100, 0, 1_000, 1_000);
        RaftCore core = leader(RULES, limits);
        act(core, accepted(PEER, 2));
        act(core, propose("eight by"));
        Input more = propose("more");
        assertThat(act(core, more)).contains(
                new Effect.Dropped(((Input.Proposed) more).proposals(), Effect.Reason.TOO_MUCH_UNCOMMITTED));
        act(core, accepted(PEER, 3));
        assertThat(act(core, more)).noneMatch(Effect.Dropped.class::isInstance);
    }

    @Test
    void aMessageIsBoundedAndSoIsTheFlow() {
        RaftLimits limits = new RaftLimits(40, 2, 10_000, 10_000, Long.MAX_VALUE, 100, 0, 1_000, 1_000);
        RaftCore core = leader(RULES, limits);
        act(core, accepted(PEER, 2));
        List<Input.Proposal> many = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            many.add(new Input.Proposal(EntryKind.NORMAL, Bytes.utf8("0123456789")));
        }
        List<Effect> effects = act(core, new Input.Proposed(many));
        List<Message.Append> toPeer = sent(Message.Append.class, effects).stream().filter(m -> m.to() == PEER).toList();
        assertThat(toPeer).hasSize(1);
        assertThat(toPeer.getFirst().entries()).hasSize(2);
        // An acknowledgement makes room for more, up to the bound.
        effects = act(core, accepted(PEER, 4));
        assertThat(sent(Message.Append.class, effects).stream().filter(m -> m.to() == PEER && !m.entries().isEmpty())
                .mapToLong(m -> m.entries().size()).sum()).isEqualTo(4);
    }

    @Test
    void appliedEntriesAreKeptForThoseThatLag() {
        RaftLimits limits = new RaftLimits(1_000, 10, 10_000, 10_000, Long.MAX_VALUE, 100, 0, 700, 100_000);
        RaftCore core = leader(RULES, limits);
        act(core, accepted(PEER, 2));
        for (long index = 3; index < 40; index++) {
            act(core, propose("0123456789"));
            act(core, accepted(PEER, index));
        }
        // Each weighs its data and an overhead: 700 bytes hold nine.
        assertThat(core.log().lastIndex() - core.log().baseIndex()).isBetween(8L, 11L);
        List<Effect> effects = act(core,
                new Input.Received(new Message.AppendRejected(THIRD, SELF, 6, 1, 0, 0)));
        List<Message.InstallSnapshot> snapshots = sent(Message.InstallSnapshot.class, effects);
        assertThat(snapshots).extracting(one -> one.snapshot().index()).containsExactly(core.committedIndex());
        // While it is on its way, what follows it is kept.
        long base = core.log().baseIndex();
        for (long index = 40; index < 80; index++) {
            act(core, propose("0123456789"));
            act(core, accepted(PEER, index));
        }
        assertThat(core.log().baseIndex()).isEqualTo(base);
        effects = act(core, accepted(THIRD, snapshots.getFirst().snapshot().index()));
        assertThat(sent(Message.Append.class, effects)).anyMatch(m -> m.to() == THIRD && !m.entries().isEmpty());
    }

    // Handing over

    @Test
    void whileTheOfficeIsHandedOverNothingIsAppended() {
        RaftCore core = establishedLeader();
        List<Effect> effects = act(core, new Input.TransferLeadership(PEER));
        assertThat(sent(effects)).containsExactly(new Message.TimeoutNow(SELF, PEER, 6));
        assertThat(act(core, propose("a"))).anyMatch(one -> one instanceof Effect.Dropped dropped
                && dropped.reason() == Effect.Reason.LEADERSHIP_TRANSFER);
        for (int tick = 0; tick < 10; tick++) {
            act(core, new Input.Received(new Message.HeartbeatAnswer(PEER, SELF, 6, Bytes.EMPTY)));
            act(core, new Input.Tick());
        }
        assertThat(core.transferee()).as("an election timeout later").isZero();
        assertThat(act(core, propose("a"))).noneMatch(Effect.Dropped.class::isInstance);
    }

    @Test
    void proposalsWithoutALeaderComeBack() {
        Input proposed = propose("a");
        assertThat(follower().step(proposed)).contains(
                new Effect.Dropped(((Input.Proposed) proposed).proposals(), Effect.Reason.NO_LEADER));
        RaftCore core = follower();
        core.step(new Input.Received(new Message.Heartbeat(PEER, SELF, 5, 1, Bytes.EMPTY)));
        assertThat(sent(core.step(proposed)))
                .containsExactly(new Message.Propose(SELF, PEER, ((Input.Proposed) proposed).proposals()));
    }

    /** Idle members of a joint configuration and ids beyond 2^63: sorted and counted as unsigned. */
    @Test
    void idsAreUnsigned() {
        ConfState members = new ConfState(List.of(-1L, SELF, 2L), List.of());
        RaftCore core = new RaftCore(new Restart(SELF, HardState.EMPTY, members, 0, 0, List.of(), 0), RULES,
                RaftLimits.DEFAULT, bound -> 0);
        assertThat(core.members().voters()).containsExactly(SELF, 2L, -1L);
        assertThat(sent(Message.VoteRequest.class, core.step(new Input.Campaign())))
                .extracting(Message.VoteRequest::to).containsExactly(2L, -1L);
    }
}
