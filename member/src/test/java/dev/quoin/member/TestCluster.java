package dev.quoin.member;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.raft.Message;
import dev.quoin.raft.RaftLimits;
import dev.quoin.store.KeyValues;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;

/** Members in one thread, on disks in memory, with messages that arrive in the next round, or never. */
final class TestCluster {
    static final MemberLimits LIMITS = new MemberLimits(Duration.ofMillis(100).toNanos(), 10,
            Duration.ofSeconds(7).toNanos(), 5_000, 1 << 20, Duration.ofMillis(100).toNanos(), 8, 1, 1, 0,
            WalLimits.ofSegmentBytes(4_096), new LedgerLimits(2_048, 512, 1_024),
            new HousekeepingLimits(1, 2, 300, 1_500, 1, 1L << 40),
            new RaftLimits(1 << 10, 16, 1 << 20, 1 << 20, Long.MAX_VALUE, 100, 0, 2_000, 4_000));
    private static final long ROUND_NANOS = Duration.ofMillis(5).toNanos();

    private final long seed;
    private final MemberLimits limits;
    final Map<Integer, Node> nodes = new TreeMap<>();
    private final List<MemberInfo> founders;
    private long nanos = 1;

    /** A member, running or not. */
    final class Node implements Network {
        final int number;
        final long id;
        final FaultyDisk disk;
        private Origin origin;
        @Nullable
        Member member;
        final Deque<Runnable> arriving = new ArrayDeque<>();
        final Set<Long> cut = new HashSet<>();
        boolean isPaused;
        /** Its disk takes nothing more, or has just been like that. */
        boolean isFull;
        /** What it has stored is not what it wrote. */
        boolean isRotten;
        /** Actors that get no turns. */
        final Set<String> stalled = new HashSet<>();
        /** States that came whole. */
        int states;
        /** States of this one that are to break off on their way. */
        int breakStates;
        /** It sent a state which is of a later term than the message that brings it. */
        boolean isAnyStateOfALaterTerm;
        @Nullable
        Inbox inbox;
        @Nullable
        String removed;

        Node(int number, Origin origin) {
            this.number = number;
            this.id = origin.memberId();
            this.origin = origin;
            disk = new FaultyDisk(new Random(seed * 31 + number));
        }

        Member member() {
            return java.util.Objects.requireNonNull(member, "member " + number + " does not run");
        }

        void start() {
            start(origin, false);
        }

        /** With --force-new-cluster; the directory says who it is. */
        void startForced() {
            start(null, true);
        }

        private void start(@Nullable Origin given, boolean isForced) {
            Random random = new Random(seed * 17 + number);
            MemberConfig config = new MemberConfig("m" + number, Path.of("/data"), null,
                    List.of("http://client" + number), "3.7.1", given, false, true, isForced, limits);
            member = Member.open(config, disk, clock, random::nextInt, this,
                    new TestEvents(why -> removed = why, () -> isFull, this::expect));
        }

        private void expect(Damaged damage) {
            if (!isRotten) {
                throw damage;
            }
        }

        /** The process ends; what it has written is still there. */
        void kill() {
            disk.restartProcess();
            gone();
        }

        /** What was not synced is gone too. */
        void cutPower() {
            disk.cutPower();
            disk.restart();
            gone();
        }

        private void gone() {
            member = null;
            stalled.clear();
            isPaused = false;
            inbox = null;
            arriving.clear();
        }

        @Override
        public void start(Inbox toTell) {
            inbox = toTell;
        }

        @Override
        public void members(Membership membership) {}

        @Override
        public void send(Collection<Message> messages) {
            for (Message message : messages) {
                nodes.values().stream().filter(to -> to.id == message.to()).findFirst()
                        .filter(to -> !cut.contains(message.to()) && to.inbox != null)
                        .ifPresent(to -> to.arriving.add(() -> deliver(to, message)));
            }
        }

        private void deliver(Node to, Message message) {
            if (to.inbox != null) {
                to.inbox.received(List.of(message));
            }
        }

        @Override
        public void sendSnapshot(Message.InstallSnapshot message, SnapshotState state) {
            Node to = node(message.to());
            isAnyStateOfALaterTerm |= message.snapshot().term() > message.term();
            try (state) {
                if (cut.contains(message.to()) || to.inbox == null) {
                    arriving.add(() -> report(message.to(), Delivery.FAILED));
                    return;
                }
                IncomingSnapshot incoming = to.inbox.receive(message);
                if (breakStates > 0) {
                    breakStates--;
                    incoming.write(new byte[5_000], 0, 5_000);
                    incoming.abort();
                    throw new SnapshotRefused("broken off");
                }
                try {
                    state.writeTo(incoming::write);
                } catch (Damaged damaged) {
                    incoming.abort();
                    expect(damaged);
                    arriving.add(() -> report(message.to(), Delivery.DAMAGED));
                    return;
                }
                incoming.finish();
                to.states++;
                arriving.add(() -> report(message.to(), Delivery.ARRIVED));
            } catch (DiskFailure full) {
                if (!full.isNoSpace()) {
                    throw full;
                }
                arriving.add(() -> report(message.to(), Delivery.FAILED));
            } catch (SnapshotRefused refused) {
                arriving.add(() -> report(message.to(), Delivery.FAILED));
            }
        }

        private void report(long to, Delivery delivery) {
            if (inbox != null) {
                inbox.snapshotSent(to, delivery);
            }
        }

        @Override
        public long activeSinceNanos(long other) {
            return 1;
        }

        @Override
        public void close() {}
    }

    private final Clock clock = new Clock() {
        @Override
        public long nanos() {
            return nanos;
        }

        @Override
        public Instant now() {
            return Instant.ofEpochMilli(1_700_000_000_000L).plusNanos(nanos);
        }
    };

    TestCluster(long seed, int size, MemberLimits limits) {
        this.seed = seed;
        this.limits = limits;
        founders = IntStream.rangeClosed(1, size).mapToObj(TestCluster::info).toList();
        for (int number = 1; number <= size; number++) {
            Node node = new Node(number, Origin.Founder.of("m" + number, founders));
            nodes.put(number, node);
            node.start();
        }
    }

    private static MemberInfo info(int number) {
        List<String> urls = List.of("http://m" + number + ":2380");
        return new MemberInfo(Ids.member(urls, "test"), "m" + number, urls, List.of(), false);
    }

    /** A member that was added to the cluster begins to run. */
    Node join(int number, long id) {
        Node node = new Node(number, new Origin.Joiner(id, Ids.cluster(founders.stream().map(MemberInfo::id).toList()),
                leader().member().membership().members()));
        nodes.put(number, node);
        node.start();
        return node;
    }

    Node node(long id) {
        return nodes.values().stream().filter(node -> node.id == id).findFirst().orElseThrow();
    }

    Node leader() {
        return nodes.values().stream().filter(node -> node.member != null && node.member().leader() == node.id)
                .max((a, b) -> Long.compare(a.member().term(), b.member().term())).orElseThrow();
    }

    Node follower() {
        Node leader = leader();
        return nodes.values().stream().filter(node -> node.member != null && node != leader).findFirst().orElseThrow();
    }

    /** The others find that nobody listens where this one did. */
    void tellGone(Node gone) {
        nodes.values().forEach(node -> {
            if (node.inbox != null) {
                node.inbox.gone(gone.id);
            }
        });
    }

    /** Gives everybody turns for so long. */
    void run(Duration time) {
        long until = nanos + time.toNanos();
        while (nanos < until) {
            round();
        }
    }

    void round() {
        nanos += ROUND_NANOS;
        for (Node node : nodes.values()) {
            if (node.isPaused) {
                continue;
            }
            for (int left = node.arriving.size(); left > 0; left--) {
                node.arriving.remove().run();
            }
            Member running = node.member;
            if (running != null) {
                running.actors().forEach((name, actor) -> {
                    if (!node.stalled.contains(name)) {
                        actor.turn();
                    }
                });
            }
        }
    }

    /** Gives turns until it is so, for at most a simulated minute. */
    void until(String what, BooleanSupplier condition) {
        long late = nanos + Duration.ofMinutes(1).toNanos();
        while (!condition.getAsBoolean()) {
            if (nanos > late) {
                throw new AssertionError("seed " + seed + ": not within a minute: " + what);
            }
            round();
        }
    }

    void awaitLeader() {
        until("a leader that all know", () -> {
            Set<Long> leaders = new HashSet<>();
            nodes.values().stream().filter(node -> node.member != null && !node.isPaused)
                    .forEach(node -> leaders.add(node.member().leader()));
            return leaders.size() == 1 && !leaders.contains(0L) && nodes.values().stream()
                    .anyMatch(node -> leaders.contains(node.id) && node.member != null && !node.isPaused);
        });
    }

    /** What became of a request. */
    static final class Answered implements Answer, ReadAnswer, ChangeAnswer {
        @Nullable
        Outcome outcome;
        @Nullable
        Failure failure;
        @Nullable
        Membership changed;
        @Nullable
        ChangeRefusal refused;
        boolean isReady;

        boolean isDone() {
            return outcome != null || failure != null || changed != null || refused != null || isReady;
        }

        @Override
        public void outcome(Outcome what) {
            outcome = what;
        }

        @Override
        public void changed(Membership membership) {
            changed = membership;
        }

        @Override
        public void refused(ChangeRefusal why) {
            refused = why;
        }

        @Override
        public void failed(Failure why) {
            failure = why;
        }

        @Override
        public void ready() {
            isReady = true;
        }

        @Override
        public String toString() {
            return "outcome " + outcome + ", failure " + failure + ", changed " + changed + ", refused " + refused
                    + (isReady ? ", ready" : "");
        }
    }

    Answered put(Node node, String key, String value) {
        return ask(node, Requests.Kind.PUT, PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key))
                .setValue(ByteString.copyFromUtf8(value)).build());
    }

    Answered ask(Node node, Requests.Kind kind, MessageLite request) {
        Answered answered = new Answered();
        node.member().propose(
                List.of(node.member().prepare(kind, Bytes.of(request.toByteArray()), answered)));
        return answered;
    }

    /** Puts, and sees to it that it is done. */
    void mustPut(Node node, String key, String value) {
        Answered answered = put(node, key, value);
        until("put " + key, answered::isDone);
        if (answered.outcome == null) {
            throw new AssertionError("seed " + seed + ": put " + key + ": " + answered);
        }
    }

    Answered read(Node node) {
        Answered answered = new Answered();
        node.member().read(answered);
        return answered;
    }

    Answered change(Node node, ClusterChange change) {
        Answered answered = new Answered();
        node.member().changeMembers(change, answered);
        return answered;
    }

    /** What a member would answer to a serializable read; null if there is no such key. */
    static @Nullable String get(Node node, String key) {
        Outcome.Ranged ranged = (Outcome.Ranged) node.member().view().range(Query.get(Bytes.utf8(key)));
        return ranged.kvs().isEmpty() ? null : KeyValues.decode(ranged.kvs().getFirst()).value().toUtf8();
    }
}
