package dev.quoin.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.member.Delivery;
import dev.quoin.member.Inbox;
import dev.quoin.member.IncomingSnapshot;
import dev.quoin.member.Membership;
import dev.quoin.member.Network;
import dev.quoin.member.SnapshotRefused;
import dev.quoin.member.SnapshotState;
import dev.quoin.raft.Message;

/**
 * The network between the hosts. On each way from one to another messages arrive in order, some time later, unless a fault
 * is under way: then they are lost, late, doubled, overtaken, or come back long after. What arrives is what was sent, for
 * TCP has checksums; and a request that is passed on to a leader is never doubled, for nobody sends it twice.
 */
final class SimNetwork {
    private static final long MILLI = 1_000_000;
    private static final int REMEMBERED = 200;
    private static final int PART_BYTES = 4_096;

    /** The way from one host to another. */
    static final class Way {
        boolean isCut;
        long sinceNanos;
        long clogUntilNanos;
        long lateNanos;
        int lossPercent;
        int doublePercent;
        int reorderPercent;
        private long lastArrivalNanos;
    }

    private record Sent(Host from, Host to, Message message) {}

    private final Simulation simulation;
    private final long hopNanos;
    private final Map<Integer, Way> ways = new HashMap<>();
    private final Deque<Sent> remembered = new ArrayDeque<>();
    /** Of the next snapshots, this many break off. */
    int breakOff;
    /** And this many arrive after they were given up. */
    int late;

    SimNetwork(Simulation simulation, long hopNanos) {
        this.simulation = simulation;
        this.hopNanos = hopNanos;
    }

    Way way(Host from, Host to) {
        return ways.computeIfAbsent(from.number << 16 | to.number, key -> new Way());
    }

    void cut(Host from, Host to, boolean isCut) {
        Way way = way(from, to);
        way.isCut = isCut;
        way.sinceNanos = simulation.time().now();
    }

    /** All is well, and what was sent before is still on its way. */
    void heal() {
        ways.values().forEach(way -> {
            if (way.isCut) {
                way.sinceNanos = simulation.time().now();
            }
            way.isCut = false;
            way.clogUntilNanos = 0;
            way.lateNanos = 0;
            way.lossPercent = 0;
            way.doublePercent = 0;
            way.reorderPercent = 0;
        });
    }

    Port port(Host host) {
        return new Port(host, host.lives);
    }

    /** Something old arrives once more. */
    boolean replay() {
        if (remembered.isEmpty()) {
            return false;
        }
        List<Sent> all = List.copyOf(remembered);
        for (int i = 0; i < 5; i++) {
            Sent sent = simulation.chance().one(all);
            if (sent.to.isUp()) {
                arrive(sent.from, sent.to, sent.message);
            }
        }
        return true;
    }

    private void remember(Host from, Host to, Message message) {
        if (message instanceof Message.Propose || !simulation.chance().oneIn(10)) {
            return;
        }
        remembered.add(new Sent(from, to, message));
        if (remembered.size() > REMEMBERED) {
            remembered.remove();
        }
    }

    private void arrive(Host from, Host to, Message message) {
        Life life = to.life;
        Port port = to.port();
        if (life == null || port == null) {
            return;
        }
        if (to.isPaused) {
            to.held.add(() -> arrive(from, to, message));
            return;
        }
        if (port.membership.isRemoved(from.id)) {
            tellRemoved(from, to);
            return;
        }
        port.inbox().received(List.of(message));
        life.look();
    }

    private void tellRemoved(Host host, Host saidBy) {
        int life = host.lives;
        simulation.time().after(hopNanos, () -> {
            Port port = host.port();
            if (host.lives == life && port != null && !way(saidBy, host).isCut) {
                simulation.inside(host, "network", () -> port.inbox().removed(saidBy.id));
            }
        });
    }

    /** One member's end of it, for one life. */
    final class Port implements Network {
        private final Host host;
        private final int life;
        private @Nullable Inbox inbox;
        private Membership membership = Membership.NONE;
        private boolean isClosed;

        Port(Host host, int life) {
            this.host = host;
            this.life = life;
        }

        Inbox inbox() {
            Inbox open = inbox;
            if (open == null) {
                throw new Violation(host + " has not started its network");
            }
            return open;
        }

        boolean isOpen() {
            return inbox != null && !isClosed;
        }

        @Override
        public void start(Inbox itsInbox) {
            inbox = itsInbox;
        }

        @Override
        public void members(Membership current) {
            membership = current;
        }

        @Override
        public void send(Collection<Message> messages) {
            for (Message message : messages) {
                Host to = simulation.hostOf(message.to());
                if (to != null) {
                    send(to, message);
                }
            }
        }

        private void send(Host to, Message message) {
            Chance chance = simulation.chance();
            Way way = way(host, to);
            boolean isLost = way.lossPercent > 0 && chance.percent(way.lossPercent);
            if (way.isCut || !to.isUp() || isLost) {
                if (isLost) {
                    simulation.tally().count(Fault.LOSS);
                }
                if (chance.oneIn(4)) {
                    simulation.time().after(chance.below(50 * MILLI), () -> unreachable(to));
                }
                // Its host refuses connections: because it is dead, or now and then for reasons of its own.
                if (to.isUp() ? chance.oneIn(100) : !way.isCut && chance.oneIn(2)) {
                    simulation.tally().count("said to be gone");
                    simulation.time().after(chance.below(100 * MILLI), () -> tell(() -> inbox().gone(to.id)));
                }
                return;
            }
            remember(host, to, message);
            long at = arrival(way);
            deliver(to, message, at);
            if (way.doublePercent > 0 && !(message instanceof Message.Propose) && chance.percent(way.doublePercent)) {
                simulation.tally().count(Fault.DOUBLE);
                deliver(to, message, at + chance.below(200 * MILLI));
            }
        }

        private long arrival(Way way) {
            Chance chance = simulation.chance();
            long at = simulation.time().now() + hopNanos / 2 + chance.around(hopNanos / 2) + way.lateNanos;
            if (way.reorderPercent > 0 && chance.percent(way.reorderPercent)) {
                simulation.tally().count(Fault.REORDER);
                return at + chance.below(100 * MILLI);
            }
            at = Math.max(Math.max(at, way.clogUntilNanos), way.lastArrivalNanos);
            way.lastArrivalNanos = at;
            return at;
        }

        private void deliver(Host to, Message message, long at) {
            int itsLife = to.lives;
            simulation.time().after(at - simulation.time().now(), () -> {
                if (to.lives == itsLife && !way(host, to).isCut) {
                    simulation.inside(to, "network", () -> arrive(host, to, message));
                }
            });
        }

        private void unreachable(Host to) {
            tell(() -> inbox().unreachable(to.id));
        }

        private void tell(Runnable what) {
            if (host.lives == life && host.isUp() && isOpen()) {
                if (host.isPaused) {
                    host.held.add(() -> tell(what));
                } else {
                    simulation.inside(host, "network", what);
                }
            }
        }

        @Override
        public void sendSnapshot(Message.InstallSnapshot message, SnapshotState state) {
            Host to = simulation.hostOf(message.to());
            simulation.tally().count("snapshots sent");
            simulation.time().after(hopNanos, () -> simulation.inside(host, "network", () -> walk(message, state, to)));
        }

        private void walk(Message.InstallSnapshot message, SnapshotState state, @Nullable Host to) {
            if (host.lives != life || !host.isUp()) {
                return;
            }
            Buffer file = new Buffer();
            try (state) {
                long length = state.lengthBytes();
                state.writeTo(file);
                Violation.check(file.length() == length, "%s: a snapshot of %d bytes was announced as %d", host,
                        file.length(), length);
            } catch (Damaged damaged) {
                if (!host.isRotten && !host.expectsDiskFailure) {
                    throw damaged;
                }
                sent(message, Delivery.DAMAGED);
                return;
            }
            if (to == null) {
                unsent(message);
                return;
            }
            long transfer = 5 * hopNanos + file.length() * 10L + simulation.chance().around(20 * MILLI);
            int itsLife = to.lives;
            if (late > 0) {
                // Who sends it has given up; all the same it arrives, when nobody expects it.
                late--;
                simulation.tally().count(Fault.SNAPSHOT_LATE);
                unsent(message);
                transfer += simulation.chance().between(500, 20_000) * MILLI;
            }
            simulation.time().after(transfer, () -> {
                if (to.lives == itsLife && to.isUp() && !way(host, to).isCut) {
                    arriveSnapshot(message, file, to);
                } else {
                    unsent(message);
                }
            });
        }

        /** In two parts, with whatever comes between. */
        private void arriveSnapshot(Message.InstallSnapshot message, Buffer file, Host to) {
            if (to.isPaused) {
                to.held.add(() -> arriveSnapshot(message, file, to));
                return;
            }
            Port port = to.port();
            if (port == null) {
                unsent(message);
                return;
            }
            Chance chance = simulation.chance();
            int itsLife = to.lives;
            int half = chance.below(file.length());
            boolean[] isUnderWay = {false};
            simulation.inside(to, "network", () -> {
                try {
                    IncomingSnapshot incoming = port.inbox().receive(message);
                    write(incoming, file, 0, half);
                    isUnderWay[0] = true;
                    simulation.time().after(hopNanos + chance.around(30 * MILLI), () -> {
                        boolean[] isWhole = {false};
                        if (to.lives == itsLife) {
                            simulation.inside(to, "network", () -> isWhole[0] = end(file, half, incoming, to));
                        }
                        if (isWhole[0]) {
                            sent(message, Delivery.ARRIVED);
                        } else {
                            unsent(message);
                        }
                    });
                } catch (SnapshotRefused refused) {
                    refused(to, refused.getMessage());
                } catch (DiskFailure full) {
                    refuseIfFull(to, full);
                }
            });
            if (!isUnderWay[0]) {
                unsent(message);
            }
        }

        private boolean end(Buffer file, int half, IncomingSnapshot incoming, Host to) {
            if (breakOff > 0) {
                breakOff--;
                simulation.tally().count(Fault.SNAPSHOT_BROKEN_OFF);
                incoming.abort();
                return false;
            }
            try {
                write(incoming, file, half, file.length());
                incoming.finish();
                return true;
            } catch (SnapshotRefused refused) {
                refused(to, refused.getMessage());
                return false;
            } catch (DiskFailure full) {
                refuseIfFull(to, full);
                incoming.abort();
                return false;
            }
        }

        private static void write(IncomingSnapshot incoming, Buffer file, int from, int end) {
            for (int at = from; at < end; at += PART_BYTES) {
                incoming.write(file.bytes(), at, Math.min(PART_BYTES, end - at));
            }
        }

        private void refused(Host to, @Nullable String why) {
            simulation.tally().count("snapshots refused");
            simulation.note(to, "refuses a snapshot:", why);
        }

        /** As the server answers it: it is sent again. */
        private void refuseIfFull(Host to, DiskFailure failure) {
            if (!failure.isNoSpace()) {
                throw failure;
            }
            simulation.excuse(to, failure);
            refused(to, failure.getMessage());
        }

        private void unsent(Message.InstallSnapshot message) {
            sent(message, Delivery.FAILED);
        }

        private void sent(Message.InstallSnapshot message, Delivery delivery) {
            simulation.time().after(hopNanos, () -> tell(() -> inbox().snapshotSent(message.to(), delivery)));
        }

        @Override
        public long activeSinceNanos(long member) {
            Host to = simulation.hostOf(member);
            if (to == null || !to.isUp() || way(host, to).isCut || way(to, host).isCut) {
                return 0;
            }
            long since = Math.max(Math.max(host.upSinceNanos, to.upSinceNanos),
                    Math.max(way(host, to).sinceNanos, way(to, host).sinceNanos));
            long ago = simulation.time().now() - since;
            return Math.max(1, host.clock.nanos() - ago);
        }

        @Override
        public void close() {
            isClosed = true;
        }
    }

    /** A snapshot on its way. */
    private static final class Buffer implements SnapshotState.Output {
        private byte[] bytes = new byte[16_384];
        private int length;

        @Override
        public void write(byte[] more, int offset, int count) {
            if (length + count > bytes.length) {
                bytes = java.util.Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + count));
            }
            System.arraycopy(more, offset, bytes, length, count);
            length += count;
        }

        byte[] bytes() {
            return bytes;
        }

        int length() {
            return length;
        }
    }

    /** What the members that are up say of the cluster, for whoever wants to ask one. */
    static List<Host> up(List<Host> hosts) {
        List<Host> up = new ArrayList<>();
        for (Host host : hosts) {
            if (host.isUp() && !host.isPaused) {
                up.add(host);
            }
        }
        return up;
    }
}
