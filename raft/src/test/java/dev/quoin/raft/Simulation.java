package dev.quoin.raft;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * A cluster of cores in a made-up world, all of it from one seed: a network that delays, loses, doubles and reorders,
 * and falls apart; disks that take their time and lose what was not synced; members that crash, come, go, learn and are
 * promoted. After every step the promises of Raft are checked against what the world knows.
 */
final class Simulation {
    /** How bad the world is. */
    record World(long messageDelayMillisMax, int lossPercent, int doublePercent, long diskMillisMax,
            long applyMillisMax, boolean crashes, boolean partitions, boolean membershipChanges, boolean joint,
            Rules rules, RaftLimits limits) {}

    /** What a run came to. */
    record Outcome(long committed, long leaders, long crashes, long snapshots, long reads, long changes,
            long transfers, long simulatedMillis, long steps, long hash) {}

    private static final long TICK_MILLIS = 100;
    private static final int ELECTION_TICKS = 10;
    private static final int MEMBERS_MAX = 7;

    private record Event(long atMillis, long order, Runnable action) {}

    /** What a disk holds: a log behind a snapshot, and a state. */
    private static final class Image {
        SnapshotMeta base;
        HardState state;
        final List<Entry> entries = new ArrayList<>();

        Image(SnapshotMeta base, HardState state) {
            this.base = base;
            this.state = state;
        }

        void write(Effect.Persist persist) {
            SnapshotMeta snapshot = persist.snapshot();
            if (snapshot != null) {
                base = snapshot;
                entries.clear();
            }
            for (Entry entry : persist.entries()) {
                int keep = (int) (entry.index() - base.index() - 1);
                check(keep >= 0 && keep <= entries.size(), "the log on disk has a gap before %d", entry.index());
                entries.subList(keep, entries.size()).clear();
                entries.add(entry);
            }
            state = persist.state();
        }

        long lastIndex() {
            return base.index() + entries.size();
        }

        boolean holds(Entry entry) {
            long position = entry.index() - base.index() - 1;
            return position < 0 || (position < entries.size() && entries.get((int) position).equals(entry));
        }
    }

    private static final class Node {
        final long id;
        final Image synced;
        /** Asked for and not known to be synced, in order. */
        final Deque<Effect.Persist> unsynced = new ArrayDeque<>();
        @Nullable
        RaftCore core;
        int incarnation;
        /** Removed, and gone for good. */
        boolean retired;
        boolean writing;
        boolean applying;
        final Deque<Effect> toApply = new ArrayDeque<>();
        long applied;
        /** The state machine goes back no further than this. */
        long appliedDurably;
        /** Who took part from which index on. */
        final SortedMap<Long, ConfState> configurations = new TreeMap<>();
        final SortedMap<Long, Long> readFloors = new TreeMap<>();
        /** By term, for whom; over all crashes. */
        final SortedMap<Long, Long> votes = new TreeMap<>();
        long lastCommit;
        long partition;

        Node(long id, SnapshotMeta base, HardState state) {
            this.id = id;
            synced = new Image(base, state);
        }

        @Override
        public String toString() {
            return core == null ? "down" : core + " " + core.progress();
        }

        ConfState configurationAt(long index) {
            SortedMap<Long, ConfState> upTo = configurations.headMap(index + 1);
            return upTo.isEmpty() ? ConfState.EMPTY : Objects.requireNonNull(upTo.get(upTo.lastKey()));
        }
    }

    private final long seed;
    private final World world;
    private final Random random;
    private final PriorityQueue<Event> events = new PriorityQueue<>((a, b) -> a.atMillis() != b.atMillis()
            ? Long.compare(a.atMillis(), b.atMillis())
            : Long.compare(a.order(), b.order()));
    private final List<Node> nodes = new ArrayList<>();
    private long now;
    private long order;
    private boolean calm;

    // What the world knows.
    private final List<Entry> committed = new ArrayList<>();
    private final SortedMap<Long, Long> leaderOfTerm = new TreeMap<>();
    private long nextData;
    private long nextRead;
    private long nextMember = 4;
    private long crashes;
    private long snapshots;
    private long reads;
    private long changes;
    private long transfers;
    private long steps;
    private long hash;

    Simulation(long seed, World world) {
        this.seed = seed;
        this.world = world;
        random = new Random(seed);
    }

    /** A world for this seed: some gentle, some not. */
    static World worldOf(long seed) {
        Random random = new Random(~seed);
        boolean tight = random.nextBoolean();
        RaftLimits limits = tight
                ? new RaftLimits(200, 3, 1_000, 500, 5_000, 1_000, 0, 2_000, 10_000)
                : new RaftLimits(1 << 20, 512, 1 << 30, 1 << 20, Long.MAX_VALUE, 1_000, 0, 1 << 20, 1 << 22);
        Rules etcd = Rules.etcd(ELECTION_TICKS);
        Rules rules = random.nextInt(3) != 0 ? etcd
                : new Rules(ELECTION_TICKS, 1, random.nextBoolean(), random.nextBoolean(), false, random.nextBoolean(),
                        true,
                        true);
        return new World(1 + random.nextInt(random.nextBoolean() ? 5 : 150), random.nextInt(3) * random.nextInt(10),
                random.nextInt(8), 1 + random.nextInt(random.nextBoolean() ? 3 : 120), 1 + random.nextInt(60),
                random.nextInt(4) != 0, random.nextInt(4) != 0, random.nextInt(3) != 0, random.nextInt(4) == 0, rules,
                limits);
    }

    /** Ids that differ as signed and as unsigned numbers. */
    private static long idOf(long number) {
        return number % 3 == 0 ? -number : number;
    }

    Outcome run(long faultyMillis, long calmMillis) {
        try {
            start();
            runUntil(faultyMillis);
            calmDown();
            runUntil(faultyMillis + calmMillis);
            // Without these rules a member that was removed and does not know it can disturb the others for ever.
            if (world.rules().preVote() && world.rules().checkQuorum()) {
                checkLiveness();
            }
            checkLogs();
        } catch (Failed e) {
            throw new AssertionError("seed " + seed + " at " + now + " ms: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            throw new AssertionError("seed " + seed + " at " + now + " ms: " + e, e);
        }
        return new Outcome(committed.size(), leaderOfTerm.size(), crashes, snapshots, reads, changes, transfers, now,
                steps, hash);
    }

    private static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Failed(String message) {
            super(message);
        }
    }

    private static void check(boolean holds, String format, Object... args) {
        if (!holds) {
            throw new Failed(format.formatted(args));
        }
    }

    // The world

    private void at(long delayMillis, Runnable action) {
        events.add(new Event(now + delayMillis, order++, action));
    }

    private void runUntil(long millis) {
        while (!events.isEmpty() && events.element().atMillis() <= millis) {
            Event event = events.remove();
            now = event.atMillis();
            event.action().run();
        }
        now = millis;
    }

    private long delay(long max) {
        return 1L + random.nextInt((int) max);
    }

    private void start() {
        List<Long> voters = new ArrayList<>(List.of(idOf(1), idOf(2), idOf(3)));
        voters.sort(Long::compareUnsigned);
        List<Entry> first = new ArrayList<>();
        for (int i = 0; i < voters.size(); i++) {
            ConfChange change = ConfChange.single(ConfChange.Kind.ADD_VOTER, voters.get(i));
            first.add(new Entry(1, i + 1L, EntryKind.CONF_CHANGE, change.encodeSingle()));
        }
        committed.addAll(first);
        for (long id : voters) {
            Node node = new Node(id, new SnapshotMeta(0, 0, ConfState.EMPTY), new HardState(1, 0, first.size()));
            node.synced.entries.addAll(first);
            node.applied = first.size();
            node.appliedDurably = first.size();
            node.configurations.put((long) first.size(), new ConfState(voters, List.of()));
            nodes.add(node);
            boot(node);
        }
        at(1, this::client);
        at(1_000, this::faults);
        at(3_000, this::members);
        at(5_000, this::compareLogs);
    }

    private void compareLogs() {
        checkLogs();
        at(5_000, this::compareLogs);
    }

    private void boot(Node node) {
        node.incarnation++;
        Image image = node.synced;
        // A snapshot that reached the log and not the state machine is taken over first.
        if (image.base.index() > node.applied) {
            node.applied = image.base.index();
            node.appliedDurably = node.applied;
            node.configurations.put(node.applied, image.base.configuration());
        }
        RaftCore core = new RaftCore(new Restart(node.id, image.state, node.configurationAt(node.applied),
                image.base.index(), image.base.term(), List.copyOf(image.entries), node.applied), world.rules(),
                world.limits(),
                random::nextInt);
        node.core = core;
        node.lastCommit = core.committedIndex();
        int incarnation = node.incarnation;
        at(delay(TICK_MILLIS), () -> tick(node, incarnation));
    }

    private void tick(Node node, int incarnation) {
        if (node.core != null && node.incarnation == incarnation) {
            step(node, new Input.Tick());
            at(TICK_MILLIS, () -> tick(node, incarnation));
        }
    }

    private void crash(Node node) {
        crashes++;
        node.core = null;
        node.incarnation++;
        // Any beginning of what was not synced has reached the disk.
        for (int kept = random.nextInt(node.unsynced.size() + 1); kept > 0; kept--) {
            node.synced.write(node.unsynced.remove());
        }
        node.unsynced.clear();
        node.writing = false;
        node.applying = false;
        node.toApply.clear();
        node.readFloors.clear();
        node.applied -= random.nextInt((int) Math.min(1000, node.applied - node.appliedDurably) + 1);
    }

    private void step(Node node, Input input) {
        RaftCore core = node.core;
        if (core == null) {
            return;
        }
        boolean led = core.isLeader();
        steps++;
        int incarnation = node.incarnation;
        for (Effect effect : core.step(input)) {
            if (node.incarnation == incarnation) {
                perform(node, effect);
            }
        }
        hash = ((hash * 31 + core.term()) * 31 + core.committedIndex()) * 31 + core.lastIndex() + core.leader();
        check(core.committedIndex() >= node.lastCommit, "%x: commit went back from %d to %d", node.id, node.lastCommit,
                core.committedIndex());
        node.lastCommit = core.committedIndex();
        if (core.isLeader() && !led) {
            checkNewLeader(node, core);
        }
    }

    private void perform(Node node, Effect effect) {
        switch (effect) {
            case Effect.Persist persist -> {
                node.unsynced.add(persist);
                write(node);
            }
            case Effect.Send(Message message) -> send(node, message);
            case Effect.Commit(List<Entry> entries) -> {
                entries.forEach(entry -> checkCommit(node, entry));
                node.toApply.add(effect);
                apply(node);
            }
            case Effect.Install install -> {
                snapshots++;
                node.toApply.add(effect);
                apply(node);
            }
            case Effect.ReadReady(long id, long index) -> {
                Long asked = node.readFloors.remove(id);
                long floor = asked == null ? 0 : asked;
                check(index >= floor, "%x: read %d may see index %d, committed was %d", node.id, id, index, floor);
                reads++;
            }
            case Effect.Noted(dev.quoin.raft.Event.Refused(Message message, var refusal)) ->
                check(refusal == dev.quoin.raft.Event.Refusal.UNKNOWN_PEER, "%x refuses %s: %s", node.id, message,
                        refusal.text());
            case Effect.Noted noted -> {}
            case Effect.Dropped dropped -> {}
            case Effect.ConfigurationChanged changed -> {}
            case Effect.LeaderChanged changed -> {}
        }
    }

    // Disk and state machine

    private void write(Node node) {
        if (node.writing || node.unsynced.isEmpty()) {
            return;
        }
        node.writing = true;
        int incarnation = node.incarnation;
        // All that has gathered is one write, and one sync.
        long ticket = node.unsynced.getLast().ticket();
        at(delay(calm ? 2 : world.diskMillisMax()), () -> {
            if (node.core == null || node.incarnation != incarnation) {
                return;
            }
            node.writing = false;
            boolean sync = node.unsynced.stream().anyMatch(one -> one.ticket() <= ticket && one.sync());
            while (sync && !node.unsynced.isEmpty() && node.unsynced.element().ticket() <= ticket) {
                node.synced.write(node.unsynced.remove());
            }
            step(node, new Input.Persisted(ticket));
            if (node.unsynced.stream().anyMatch(one -> one.ticket() > ticket)) {
                write(node);
            }
        });
    }

    private void apply(Node node) {
        if (node.applying || node.toApply.isEmpty()) {
            return;
        }
        node.applying = true;
        int incarnation = node.incarnation;
        at(delay(calm ? 2 : world.applyMillisMax()), () -> {
            if (node.core == null || node.incarnation != incarnation) {
                return;
            }
            node.applying = false;
            switch (node.toApply.remove()) {
                case Effect.Commit(List<Entry> entries) -> entries.forEach(entry -> apply(node, entry));
                case Effect.Install(SnapshotMeta snapshot) -> {
                    check(snapshot.index() > node.applied, "%x: snapshot %s over applied %d", node.id, snapshot,
                            node.applied);
                    node.applied = snapshot.index();
                    node.appliedDurably = snapshot.index();
                    node.configurations.put(snapshot.index(), snapshot.configuration());
                }
                default -> throw new AssertionError();
            }
            step(node, new Input.Applied(node.applied));
            if (random.nextInt(4) == 0) {
                node.appliedDurably = node.applied;
            }
            apply(node);
        });
    }

    /**
     * A removed member stays until those that are left know it. One that goes at once can take the last quorum with it: of
     * two voters, the other may not have heard that it is alone now. That is so in etcd too.
     */
    private void retire(Node node, long index) {
        ConfState left = node.configurationAt(index);
        if (isMember(node.configurationAt(node.applied), node.id)) {
            return;
        }
        boolean known = nodes.stream().filter(other -> left.isVoter(other.id) && !other.retired)
                .allMatch(other -> other.appliedDurably >= index);
        if (!known) {
            at(1_000, () -> retire(node, index));
        } else {
            node.retired = true;
            node.core = null;
            node.incarnation++;
        }
    }

    private void apply(Node node, Entry entry) {
        check(entry.index() == node.applied + 1, "%x: applies %d after %d", node.id, entry.index(), node.applied);
        node.applied = entry.index();
        if (entry.kind() == EntryKind.NORMAL) {
            return;
        }
        ConfChange change = ConfChange.decode(entry.kind(), entry.data());
        ConfState before = node.configurationAt(entry.index() - 1);
        try {
            Configuration next = ConfigChanger.change(ConfigChanger.restore(before), change);
            node.configurations.put(entry.index(), next.toConfState());
        } catch (ConfigChanger.Impossible e) {
            change = ConfChange.single(ConfChange.Kind.REMOVE, 0);
            node.configurations.put(entry.index(), before);
        }
        changes++;
        step(node, new Input.Reconfigured(entry.index(), change));
        ConfState after = node.configurationAt(entry.index());
        if (isMember(before, node.id) && !isMember(after, node.id)) {
            retire(node, entry.index());
        }
    }

    private static boolean isMember(ConfState members, long id) {
        return members.isVoter(id) || members.learners().contains(id);
    }

    // Network

    private @Nullable Node nodeOf(long id) {
        for (Node node : nodes) {
            if (node.id == id) {
                return node;
            }
        }
        return null;
    }

    private void send(Node from, Message message) {
        checkPromise(from, message);
        Message sent = message;
        if (message instanceof Message.InstallSnapshot install) {
            // The shell sends the state as it is, which may be further on.
            check(install.snapshot().index() <= from.applied, "%x: snapshot of what is not applied", from.id);
            SnapshotMeta now = new SnapshotMeta(from.applied, committed.get((int) from.applied - 1).term(),
                    from.configurationAt(from.applied));
            sent = new Message.InstallSnapshot(install.from(), install.to(), install.term(), now);
        }
        Node to = nodeOf(message.to());
        if (to == null) {
            return;
        }
        boolean lost = !calm && random.nextInt(100) < world.lossPercent();
        if (lost || to.partition != from.partition || to.core == null) {
            if (random.nextInt(4) == 0) {
                at(delay(50), () -> step(from, new Input.Unreachable(to.id)));
            }
            if (message instanceof Message.InstallSnapshot) {
                at(delay(500), () -> step(from, new Input.SnapshotSent(to.id, false)));
            }
            return;
        }
        int copies = !calm && random.nextInt(100) < world.doublePercent() ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            Message copy = sent;
            at(delay(calm ? 3 : world.messageDelayMillisMax()), () -> step(to, new Input.Received(copy)));
        }
        if (message instanceof Message.InstallSnapshot) {
            at(delay(500), () -> step(from, new Input.SnapshotSent(to.id, true)));
        }
    }

    // Clients and faults

    private List<Node> alive() {
        return nodes.stream().filter(node -> node.core != null).toList();
    }

    private @Nullable Node any() {
        List<Node> alive = alive();
        return alive.isEmpty() ? null : alive.get(random.nextInt(alive.size()));
    }

    private void client() {
        at(delay(120), this::client);
        Node node = any();
        if (node == null) {
            return;
        }
        switch (random.nextInt(10)) {
            case 0, 1 -> {
                long id = ++nextRead;
                node.readFloors.put(id, (long) committed.size());
                step(node, new Input.ReadRequested(id));
            }
            case 2 -> {
                if (!calm && random.nextInt(40) == 0) {
                    transfers++;
                    step(node, new Input.TransferLeadership(nodes.get(random.nextInt(nodes.size())).id));
                }
            }
            case 3 -> {
                if (!calm && random.nextInt(60) == 0) {
                    step(node, random.nextBoolean() ? new Input.ForgetLeader() : new Input.Campaign());
                }
            }
            default -> {
                List<Input.Proposal> proposals = new ArrayList<>();
                for (int i = random.nextInt(4); i >= 0; i--) {
                    String data = nextData++ + "x".repeat(random.nextInt(60));
                    proposals.add(new Input.Proposal(EntryKind.NORMAL, Bytes.utf8(data)));
                }
                step(node, new Input.Proposed(proposals));
            }
        }
    }

    private void faults() {
        if (calm) {
            return;
        }
        at(delay(4_000), this::faults);
        if (world.crashes() && random.nextInt(3) == 0) {
            Node node = any();
            if (node != null) {
                crash(node);
                at(delay(random.nextBoolean() ? 200 : 8_000), () -> {
                    if (node.core == null && !node.retired) {
                        boot(node);
                    }
                });
            }
        }
        if (world.partitions()) {
            boolean whole = random.nextInt(3) == 0;
            nodes.forEach(node -> node.partition = whole ? 0 : random.nextInt(2));
        }
        if (random.nextInt(5) == 0) {
            // The log on disk is given up where the state machine no longer needs it.
            Node node = any();
            if (node != null && node.appliedDurably > node.synced.base.index() && node.unsynced.isEmpty()) {
                release(node);
            }
        }
    }

    private void release(Node node) {
        long to = Math.min(node.appliedDurably, node.synced.lastIndex());
        int gone = (int) (to - node.synced.base.index());
        if (gone > 0) {
            node.synced.base = new SnapshotMeta(to, node.synced.entries.get(gone - 1).term(), node.configurationAt(to));
            node.synced.entries.subList(0, gone).clear();
            step(node, new Input.Forget(Math.max(0, to - random.nextInt(30))));
        }
    }

    private void members() {
        if (calm || !world.membershipChanges()) {
            return;
        }
        at(delay(12_000), this::members);
        Node leader = alive().stream().filter(node -> node.core != null && node.core.isLeader()).findAny().orElse(null);
        if (leader == null || leader.core == null) {
            return;
        }
        ConfState now = leader.core.members();
        List<ConfChange.Change> wanted = new ArrayList<>();
        for (int i = world.joint() ? random.nextInt(3) : 0; i >= 0; i--) {
            wanted.add(change(now));
        }
        if (world.joint() && !now.votersOutgoing().isEmpty() && random.nextBoolean()) {
            wanted.clear();
        }
        boolean v2 = world.joint();
        ConfChange.Transition transition = !v2 || wanted.isEmpty() ? ConfChange.Transition.AUTO
                : List.of(ConfChange.Transition.values()).get(random.nextInt(3));
        ConfChange change = new ConfChange(transition, wanted, Bytes.EMPTY);
        step(leader, new Input.Proposed(List.of(v2
                ? new Input.Proposal(EntryKind.CONF_CHANGE_V2, change.encodeV2())
                : new Input.Proposal(EntryKind.CONF_CHANGE, change.encodeSingle()))));
    }

    private ConfChange.Change change(ConfState now) {
        int members = now.voters().size() + now.learners().size();
        int kind = random.nextInt(4);
        if (kind == 0 && !now.learners().isEmpty()) {
            return new ConfChange.Change(ConfChange.Kind.ADD_VOTER, now.learners().getFirst());
        }
        if ((kind == 1 && members > 2) || members >= MEMBERS_MAX) {
            List<Long> all = new ArrayList<>(now.voters());
            all.addAll(now.learners());
            return new ConfChange.Change(ConfChange.Kind.REMOVE, all.get(random.nextInt(all.size())));
        }
        Node fresh = new Node(idOf(nextMember++), new SnapshotMeta(0, 0, ConfState.EMPTY), HardState.EMPTY);
        nodes.add(fresh);
        boot(fresh);
        return new ConfChange.Change(
                random.nextBoolean() ? ConfChange.Kind.ADD_LEARNER : ConfChange.Kind.ADD_VOTER, fresh.id);
    }

    /** From now on nothing fails: the cluster must find a leader and agree. */
    private void calmDown() {
        calm = true;
        for (Node node : List.copyOf(nodes)) {
            node.partition = 0;
            if (node.core == null && !node.retired) {
                boot(node);
            }
        }
    }

    // Promises

    private void checkNewLeader(Node node, RaftCore core) {
        Long other = leaderOfTerm.putIfAbsent(core.term(), node.id);
        check(other == null || other == node.id, "%x and %x lead in term %d", node.id, other, core.term());
        ConfState members = core.members();
        check(isElected(members.voters(), node.id, core.term())
                && (members.votersOutgoing().isEmpty() || isElected(members.votersOutgoing(), node.id, core.term())),
                "%x leads in term %d without a quorum of votes on disk", node.id, core.term());
        RaftLog log = core.log();
        long from = Math.max(log.baseIndex() + 1, committed.size() - 200);
        for (long index = from; index <= committed.size(); index++) {
            Entry entry = committed.get((int) index - 1);
            check(log.matches(index, entry.term()) || entry.term() >= core.term(),
                    "%x leads in term %d without the committed %s", node.id, core.term(), entry);
        }
    }

    /** Whether more than half may have voted for it, as their disks say; one that is further on may have. */
    private boolean isElected(List<Long> voters, long id, long term) {
        long votes = voters.stream().map(this::nodeOf).filter(Objects::nonNull).map(voter -> voter.synced.state)
                .filter(state -> state.term() > term || (state.term() == term && state.vote() == id)).count();
        return votes > voters.size() / 2;
    }

    private void checkCommit(Node node, Entry entry) {
        check(node.synced.holds(entry), "%x hands out %s, which is not on its disk", node.id, entry);
        if (entry.index() <= committed.size()) {
            Entry known = committed.get((int) entry.index() - 1);
            check(known.equals(entry), "%x commits %s, another has committed %s", node.id, entry, known);
        } else {
            check(entry.index() == committed.size() + 1, "%x commits %s after %d", node.id, entry, committed.size());
            committed.add(entry);
        }
    }

    /** What leaves this node is on its disk. */
    private void checkPromise(Node node, Message message) {
        RaftCore core = node.core;
        check(core != null, "%x is down and sends %s", node.id, message);
        if (message instanceof Message.VoteAnswer answer && answer.granted() && !answer.pre()) {
            checkVote(node, answer.term(), answer.to());
        }
        if (message instanceof Message.Append append && core != null && core.isLeader()) {
            checkVote(node, append.term(), node.id);
        }
        if (message instanceof Message.AppendAccepted answer && core != null && answer.term() == core.term()) {
            check(node.synced.lastIndex() >= answer.index(), "%x acknowledges %d, its disk ends at %d", node.id,
                    answer.index(), node.synced.lastIndex());
        }
    }

    private void checkVote(Node node, long term, long candidate) {
        Long other = node.votes.putIfAbsent(term, candidate);
        check(other == null || other == candidate, "%x votes for %x and %x in term %d", node.id, candidate, other,
                term);
        HardState state = node.synced.state;
        boolean durable = state.term() > term || (state.term() == term && state.vote() == candidate);
        check(durable || candidate == node.id, "%x votes for %x in term %d, its disk says %s", node.id, candidate, term,
                state);
    }

    private void checkLiveness() {
        List<Node> leaders = alive().stream().filter(node -> node.core != null && node.core.isLeader()).toList();
        check(!leaders.isEmpty(), "nobody leads: %s", alive().stream().map(node -> node.core).toList());
        Node leader = leaders.stream().max((a, b) -> Long.compare(termOf(a), termOf(b))).orElseThrow();
        ConfState members = leader.configurationAt(leader.applied);
        check(committed.size() > 3, "nothing was committed");
        for (Node node : alive()) {
            check(!isMember(members, node.id) || node.applied >= committed.size() - 60,
                    "%x has applied %d of %d: %s, leader %s",
                    node.id, node.applied, committed.size(), String.valueOf(node.core), leader);
        }
    }

    private static long termOf(Node node) {
        return node.core == null ? 0 : node.core.term();
    }

    /** Where two logs hold an entry of the same term, they hold the same up to there. */
    private void checkLogs() {
        for (Node a : alive()) {
            for (Node b : alive()) {
                RaftCore left = a.core;
                RaftCore right = b.core;
                if (left != null && right != null && a != b) {
                    checkMatch(left.log(), right.log());
                }
            }
        }
    }

    private static void checkMatch(RaftLog left, RaftLog right) {
        long base = Math.max(left.baseIndex(), right.baseIndex());
        boolean same = false;
        for (long index = Math.min(left.lastIndex(), right.lastIndex()); index > base; index--) {
            if (left.matches(index, right.termAt(index))) {
                same = true;
                check(left.slice(index, index, 0).equals(right.slice(index, index, 0)), "logs differ at %d", index);
            } else {
                check(!same, "logs agree behind %d and differ there", index);
            }
        }
    }

    /** Arguments: the first seed, and how many. Prints a line for each, and how quick it was. */
    public static void main(String[] args) {
        long first = Long.parseLong(args[0]);
        long count = Long.parseLong(args[1]);
        boolean loud = args.length > 2;
        long simulatedMillis = 0;
        long steps = 0;
        long hash = 0;
        ThreadMXBean thread = ManagementFactory.getThreadMXBean();
        long start = thread.getCurrentThreadCpuTime();
        for (long seed = first; seed < first + count; seed++) {
            Outcome outcome = new Simulation(seed, worldOf(seed)).run(180_000, 30_000);
            simulatedMillis += outcome.simulatedMillis();
            steps += outcome.steps();
            hash = hash * 31 + outcome.hash();
            if (loud) {
                System.out.println(seed + " " + outcome);
            }
        }
        double seconds = (thread.getCurrentThreadCpuTime() - start) / 1e9;
        System.out.printf(
                "%d seeds, %.1f simulated hours in %.1f s of CPU: %.2f hours per second, %d steps hash=%016x%n",
                count, simulatedMillis / 3.6e6, seconds, simulatedMillis / 3.6e6 / seconds, steps, hash);
    }
}
