package dev.quoin.ctl.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.rpc.Deadline;

/** Members on this host, started and stopped together. One thread's. */
final class LocalCluster implements AutoCloseable {
    private static final long READY_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final long LOOK_MILLIS = 100;
    private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(15);
    private static final int LAST_LINES = 12;
    /** Gives a process a session of its own: a key pressed on a terminal is for whoever stops the members in their order. */
    private static final Path SETSID = Path.of("/usr/bin/setsid");

    private final List<LocalMember> members = new ArrayList<>();

    /**
     * None of them runs yet.
     *
     * @param etcd the program that a member is
     * @param flags more of them, for each
     */
    LocalCluster(Layout layout, Path etcd, List<String> flags) {
        for (Layout.Place place : layout.members()) {
            members.add(new LocalMember(members.size() + 1, place, command(layout, place, etcd, flags),
                    layout.log(place)));
        }
    }

    private static List<String> command(Layout layout, Layout.Place place, Path etcd, List<String> flags) {
        List<String> command = new ArrayList<>();
        if (Files.isExecutable(SETSID)) {
            command.add(SETSID.toString());
        }
        command.addAll(List.of(etcd.toString(), "--name", place.name(), "--data-dir", layout.data(place).toString(),
                "--listen-client-urls", place.clientUrl(), "--advertise-client-urls", place.clientUrl(),
                "--listen-peer-urls", place.peerUrl(), "--initial-advertise-peer-urls", place.peerUrl(),
                "--initial-cluster", layout.initialCluster(), "--initial-cluster-token", "quoin-cluster"));
        command.addAll(flags);
        return command;
    }

    /** Starts all, and waits until each of them answers and knows the leader. */
    void start() throws IOException, InterruptedException {
        for (LocalMember member : members) {
            member.start();
        }
        Deadline deadline = Deadline.in(READY_NANOS);
        for (LocalMember member : members) {
            awaitReady(member, deadline);
        }
    }

    private static void awaitReady(LocalMember member, Deadline deadline) throws InterruptedException {
        MemberState state = member.look();
        while (!state.isReady()) {
            if (state.role() == MemberState.Role.ENDED) {
                throw Failure.of(member.name() + " ended with exit code " + state.exitCode() + ". Its last lines:\n"
                        + member.lastWords(LAST_LINES));
            }
            if (deadline.isOver()) {
                throw Failure.of(member.name() + " is not ready (" + state.role().text() + "). Its last lines:\n"
                        + member.lastWords(LAST_LINES));
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            state = member.look();
        }
    }

    /** Asks each how it is. */
    List<MemberState> look() {
        return members.stream().map(LocalMember::look).toList();
    }

    /** Starts a member again that has ended; one that runs is left alone, and a number that is none is passed over. */
    void restart(int number) throws IOException {
        if (number >= 1 && number <= members.size() && !members.get(number - 1).isAlive()) {
            members.get(number - 1).start();
        }
    }

    /** Stops all and waits for their end: the last that was started first; none is left behind. */
    @Override
    public void close() {
        // Set by the signal that brought us here.
        Thread.interrupted();
        for (LocalMember member : members.reversed()) {
            member.terminate();
        }
        Deadline deadline = Deadline.in(STOP_NANOS);
        for (LocalMember member : members.reversed()) {
            member.awaitEnd(deadline);
            member.close();
        }
    }
}
