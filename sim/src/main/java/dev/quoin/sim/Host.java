package dev.quoin.sim;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.member.MemberConfig;

/** A machine with one member's disk, on which the member lives, dies and lives again. */
final class Host {
    static final Path DATA = Path.of("/data");
    static final Path MEMBER = Path.of("/data/member");

    final int number;
    final long id;
    final MemberConfig config;
    final FaultyDisk disk;
    final HostClock clock;
    final Witnessed witnessed;
    @Nullable
    Life life;
    private SimNetwork.@Nullable Port port;
    /** How many lives there were, so that nothing meant for one reaches another. */
    int lives;
    long upSinceNanos;
    /** It came up once, so a directory is there. */
    boolean hasStarted;
    /** Removed from the cluster, or given up: it never comes back. */
    boolean isRetired;
    /** When it was removed, and may be stopped for good. */
    boolean isRemoved;
    boolean isPaused;
    /** What arrives while it is paused. */
    final Deque<Runnable> held = new ArrayDeque<>();
    /** Its turns take so many times as long. */
    long slowness = 1;
    long syncNanos;
    long diskStalledUntil;
    boolean isDiskFull;
    /** A fault of the disk is under way, so it may end by it. */
    boolean expectsDiskFailure;
    /** What is stored may not be what was written. */
    boolean isRotten;
    long downUntilNanos;

    Host(int number, MemberConfig config, long id, FaultyDisk disk, HostClock clock, long syncNanos) {
        this.number = number;
        this.id = id;
        this.config = config;
        this.disk = disk;
        this.clock = clock;
        this.syncNanos = syncNanos;
        this.witnessed = new Witnessed(this);
    }

    /** Its end of the network, while it is up. */
    SimNetwork.@Nullable Port port() {
        return port;
    }

    void plugIn(SimNetwork.@Nullable Port itsPort) {
        port = itsPort;
    }

    boolean isUp() {
        return life != null;
    }

    /** For people, and for the trace. */
    String name() {
        return "m" + number;
    }

    @Override
    public String toString() {
        return name();
    }
}
