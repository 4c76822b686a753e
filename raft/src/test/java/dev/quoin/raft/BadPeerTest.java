package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** What a member that lies, or whose disk was swapped, can do to this one: nothing but be refused. */
class BadPeerTest {
    private static final long SELF = 1;
    private static final long PEER = 2;
    private static final long THIRD = 3;
    private static final ConfState THREE = new ConfState(List.of(SELF, PEER, THIRD), List.of());

    private static Entry entry(long term, long index) {
        return new Entry(term, index, EntryKind.NORMAL, Bytes.utf8("e" + index));
    }

    /** A follower in term 5 of a log with entries 1 to 4, of which 3 are committed and applied. */
    private static RaftCore follower() {
        List<Entry> log = List.of(entry(1, 1), entry(2, 2), entry(3, 3), entry(4, 4));
        return new RaftCore(new Restart(SELF, new HardState(5, 0, 3), THREE, 0, 0, log, 3), Rules.etcd(10),
                RaftLimits.DEFAULT, bound -> 0);
    }

    private static RaftCore leader() {
        RaftCore core = follower();
        performWrites(core, core.step(new Input.Campaign()));
        performWrites(core, core.step(new Input.Received(new Message.VoteAnswer(PEER, SELF, 6, true, true))));
        performWrites(core, core.step(new Input.Received(new Message.VoteAnswer(PEER, SELF, 6, false, true))));
        assertThat(core.isLeader()).isTrue();
        return core;
    }

    private static List<Effect> performWrites(RaftCore core, List<Effect> effects) {
        List<Effect> all = new ArrayList<>(effects);
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i) instanceof Effect.Persist persist) {
                all.addAll(core.step(new Input.Persisted(persist.ticket())));
            }
        }
        return all;
    }

    private static void refuses(RaftCore core, Message message, Event.Refusal refusal) {
        String before = core.toString();
        List<Effect> effects = core.step(new Input.Received(message));
        assertThat(effects).containsExactly(new Effect.Noted(new Event.Refused(message, refusal)));
        assertThat(core.toString()).isEqualTo(before);
    }

    /** Go's follower panics: "tocommit is out of range". */
    @Test
    void aHeartbeatMayNotCommitWhatIsNotThere() {
        refuses(follower(), new Message.Heartbeat(PEER, SELF, 5, 5, Bytes.EMPTY), Event.Refusal.COMMIT_BEYOND_LOG);
    }

    /** Go's follower takes the entries, or panics, depending on where they lie. */
    @Test
    void entriesMustFollowOneAnother() {
        refuses(follower(), new Message.Append(PEER, SELF, 5, 4, 4, List.of(entry(5, 6)), 4), Event.Refusal.ENTRIES);
        refuses(follower(), new Message.Append(PEER, SELF, 5, 4, 4, List.of(entry(5, 5), entry(4, 6)), 4),
                Event.Refusal.ENTRIES);
        refuses(follower(), new Message.Append(PEER, SELF, 5, 4, 4, List.of(entry(6, 5)), 4), Event.Refusal.ENTRIES);
    }

    @Test
    void whatIsCommittedIsNotReplaced() {
        RaftCore core = follower();
        List<Effect> effects = performWrites(core,
                core.step(new Input.Received(new Message.Append(PEER, SELF, 5, 1, 1, List.of(entry(5, 2)), 2))));
        assertThat(effects).contains(new Effect.Send(new Message.AppendAccepted(SELF, PEER, 5, 3)));
        assertThat(core.log().termAt(2)).isEqualTo(2);
    }

    /** Go's leader would send a snapshot, or take the number for the member's log. */
    @Test
    void nobodyAcknowledgesWhatWasNeverSent() {
        refuses(leader(), new Message.AppendAccepted(PEER, SELF, 6, 99), Event.Refusal.ACKNOWLEDGES_TOO_MUCH);
    }

    /** Go's leader panics on an echo that is too short, and on a number that it never sent. */
    @Test
    void anEchoIsOneOfAHeartbeatThatWasSent() {
        refuses(leader(), new Message.HeartbeatAnswer(PEER, SELF, 6, Bytes.utf8("abc")),
                Event.Refusal.ACKNOWLEDGES_TOO_MUCH);
        refuses(leader(), new Message.HeartbeatAnswer(PEER, SELF, 6, Bytes.of(new byte[]{9, 0, 0, 0, 0, 0, 0, 0})),
                Event.Refusal.ACKNOWLEDGES_TOO_MUCH);
    }

    /** Go's leader panics on both. */
    @Test
    void aProposalIsSomethingThatCanBeRead() {
        refuses(leader(), new Message.Propose(PEER, SELF, List.of()), Event.Refusal.PROPOSAL);
        Message.Propose garbled = new Message.Propose(PEER, SELF,
                List.of(new Input.Proposal(EntryKind.CONF_CHANGE, Bytes.utf8("?"))));
        RaftCore core = leader();
        long last = core.lastIndex();
        assertThat(core.step(new Input.Received(garbled)))
                .contains(new Effect.Noted(new Event.Refused(garbled, Event.Refusal.PROPOSAL)));
        assertThat(core.lastIndex()).isEqualTo(last);
    }

    @Test
    void aRefusalSaysWhy() {
        Message message = new Message.Heartbeat(0xabcdL, SELF, 5, 9, Bytes.EMPTY);
        assertThat(LogLine.of(SELF, new Event.Refused(message, Event.Refusal.COMMIT_BEYOND_LOG))).containsExactly(
                new LogLine(LogLine.Level.WARN, "1 refused a MsgHeartbeat message from abcd: it says that entries are "
                        + "committed which this node does not have: one of the logs was lost"));
    }

    @Test
    void thereIsOneLeaderInATerm() {
        refuses(leader(), new Message.Heartbeat(PEER, SELF, 6, 0, Bytes.EMPTY), Event.Refusal.SECOND_LEADER);
        RaftCore core = follower();
        core.step(new Input.Received(new Message.Heartbeat(PEER, SELF, 5, 0, Bytes.EMPTY)));
        refuses(core, new Message.Heartbeat(THIRD, SELF, 5, 0, Bytes.EMPTY), Event.Refusal.SECOND_LEADER);
    }

    @Test
    void whatIsNotForUsOrHasNoNumberWeKnowIsRefused() {
        refuses(follower(), new Message.Heartbeat(PEER, THIRD, 5, 0, Bytes.EMPTY), Event.Refusal.NOT_FOR_US);
        refuses(follower(), new Message.Heartbeat(SELF, SELF, 5, 0, Bytes.EMPTY), Event.Refusal.NOT_FOR_US);
        refuses(follower(), new Message.Heartbeat(PEER, SELF, 0, 0, Bytes.EMPTY), Event.Refusal.NUMBERS);
        refuses(follower(), new Message.Heartbeat(PEER, SELF, -1, 0, Bytes.EMPTY), Event.Refusal.NUMBERS);
        refuses(follower(), new Message.Append(PEER, SELF, 5, Long.MAX_VALUE, 1, List.of(entry(5, Long.MIN_VALUE)), 0),
                Event.Refusal.NUMBERS);
        refuses(leader(), new Message.AppendAccepted(99, SELF, 6, 1), Event.Refusal.UNKNOWN_PEER);
    }

    /** Go's follower panics on a configuration that cannot be. */
    @Test
    void aSnapshotHasAConfiguration() {
        ConfState both = new ConfState(List.of(SELF, PEER), List.of(SELF));
        refuses(follower(), new Message.InstallSnapshot(PEER, SELF, 5, new SnapshotMeta(9, 5, both)),
                Event.Refusal.CONFIGURATION);
    }

    /** Whatever arrives, and in whatever order, the core neither throws nor takes back what it has committed. */
    @Test
    void noiseDoesNoHarm() {
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            RaftCore core = follower();
            for (int i = 0; i < 200; i++) {
                long committed = core.committedIndex();
                Input input = switch (random.nextInt(12)) {
                    case 0 -> new Input.Tick();
                    case 1 -> new Input.Campaign();
                    default -> new Input.Received(noise(random));
                };
                try {
                    for (Effect effect : performWrites(core, core.step(input))) {
                        if (effect instanceof Effect.Commit(List<Entry> entries)) {
                            core.step(new Input.Applied(entries.getLast().index()));
                        } else if (effect instanceof Effect.Install(SnapshotMeta snapshot)) {
                            core.step(new Input.Applied(snapshot.index()));
                        }
                    }
                } catch (Error e) {
                    throw new AssertionError("seed " + seed + ", message " + i + ": " + input + " to " + core, e);
                }
                assertThat(core.committedIndex()).as("seed %d", seed).isGreaterThanOrEqualTo(committed);
            }
        }
    }

    private static long number(Random random) {
        return random.nextInt(20) == 0 ? random.nextLong() : random.nextInt(12);
    }

    private static Bytes bytes(Random random) {
        byte[] bytes = new byte[random.nextInt(3) == 0 ? 8 : random.nextInt(4)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i == 0 ? random.nextInt(5) : 0);
        }
        return Bytes.of(bytes);
    }

    private static Message noise(Random random) {
        long from = random.nextInt(15) == 0 ? number(random) : random.nextBoolean() ? PEER : THIRD;
        long to = random.nextInt(30) == 0 ? number(random) : SELF;
        long term = random.nextInt(3) == 0 ? number(random) : 5 + random.nextInt(3);
        boolean either = random.nextBoolean();
        return switch (random.nextInt(13)) {
            case 0, 1, 2 -> append(random, from, to, term);
            case 3 -> new Message.AppendAccepted(from, to, term, number(random));
            case 4 -> new Message.AppendRejected(from, to, term, number(random), number(random), number(random));
            case 5 -> new Message.Heartbeat(from, to, term, number(random), bytes(random));
            case 6 -> new Message.HeartbeatAnswer(from, to, term, bytes(random));
            case 7 -> new Message.VoteRequest(from, to, term, either, number(random), number(random), !either);
            case 8 -> new Message.VoteAnswer(from, to, term, either, random.nextInt(3) != 0);
            case 9 -> new Message.InstallSnapshot(from, to, term, new SnapshotMeta(number(random), number(random),
                    either ? THREE : new ConfState(List.of(number(random)), List.of(SELF))));
            case 10 -> new Message.Propose(from, to, List.of(new Input.Proposal(
                    either ? EntryKind.NORMAL : EntryKind.CONF_CHANGE, bytes(random))));
            case 11 -> either ? new Message.ReadIndex(from, to, bytes(random))
                    : new Message.ReadIndexAnswer(from, to, term, number(random), bytes(random));
            default -> either ? new Message.TransferLeader(from, to, term) : new Message.TimeoutNow(from, to, term);
        };
    }

    private static Message append(Random random, long from, long to, long term) {
        long prevIndex = number(random);
        long prevTerm = random.nextInt(6);
        List<Entry> entries = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            long entryTerm = random.nextInt(10) == 0 ? number(random) : Math.max(prevTerm, term - random.nextInt(2));
            entries.add(entry(entryTerm, prevIndex + entries.size() + 1));
        }
        return new Message.Append(from, to, term, prevIndex, prevTerm, entries, number(random));
    }
}
