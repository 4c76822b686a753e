package dev.quoin.ctl.cluster;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.ctl.cli.Log;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Credentials;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.rpc.Channel;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.Endpoint;
import dev.quoin.ctl.rpc.RpcException;

/** A member as a process of this one, and the connection that asks how it is. One thread's. */
final class LocalMember implements AutoCloseable {
    private static final File NULL = new File("/dev/null");
    /** For one answer; a member that is suspended costs the table so much each time. */
    private static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long KEEP_ALIVE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int MESSAGE_BYTES_MAX = 1 << 20;
    private static final String RESIDENT = "VmRSS:";
    private static final int KIB = 1024;

    private final int number;
    private final Layout.Place place;
    private final List<String> command;
    private final Path log;
    private final Client client;
    private @Nullable Process process;

    /**
     * @param command starts it
     * @param log what it prints is added to this file
     */
    LocalMember(int number, Layout.Place place, List<String> command, Path log) {
        this.number = number;
        this.place = place;
        this.command = List.copyOf(command);
        this.log = log;
        Channel channel = new Channel(new Channel.Settings(List.of(Endpoint.of(place.endpoint())), null,
                KEEP_ALIVE_NANOS, KEEP_ALIVE_NANOS, MESSAGE_BYTES_MAX));
        Log nowhere = new Log(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        this.client = new Client(channel, Credentials.NONE, MESSAGE_BYTES_MAX, nowhere, place.endpoint());
    }

    /** Starts its process, and does not wait until it is ready. */
    void start() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectInput(ProcessBuilder.Redirect.from(NULL))
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        // They are for a member, and there are several.
        builder.environment().keySet().removeIf(variable -> variable.startsWith("ETCD_"));
        process = builder.start();
    }

    boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** Asks it how it is. */
    MemberState look() {
        if (process == null || !process.isAlive()) {
            return state(MemberState.Role.ENDED, StatusResponse.getDefaultInstance());
        }
        try {
            StatusResponse status = client.call(Method.STATUS, StatusRequest.getDefaultInstance(),
                    StatusResponse.parser(), Deadline.in(ANSWER_NANOS));
            if (status.getLeader() == 0) {
                return state(MemberState.Role.LEADERLESS, status);
            }
            return state(status.getLeader() == status.getHeader().getMemberId() ? MemberState.Role.LEADER
                    : MemberState.Role.FOLLOWER, status);
        } catch (RpcException why) {
            return state(MemberState.Role.SILENT, StatusResponse.getDefaultInstance());
        }
    }

    private MemberState state(MemberState.Role role, StatusResponse status) {
        boolean hasEnded = process != null && !process.isAlive();
        return new MemberState(number, place.name(), place.endpoint(), role, process == null ? 0 : process.pid(),
                status.getRaftTerm(), status.getHeader().getRevision(), status.getDbSize(), residentBytes(),
                hasEnded && process != null ? process.exitValue() : 0);
    }

    /** What the system says of its process; nothing where it has no such page. */
    private long residentBytes() {
        if (process == null) {
            return 0;
        }
        try {
            for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
                if (line.startsWith(RESIDENT)) {
                    return KIB * Long.parseLong(line.substring(RESIDENT.length()).replace("kB", "").strip());
                }
            }
            return 0;
        } catch (IOException | NumberFormatException nobodyKnows) {
            return 0;
        }
    }

    /** The last lines that it printed, empty ones left out, with their ends. */
    String lastWords(int lines) {
        try {
            List<String> all = Files.readAllLines(log).stream().filter(line -> !line.isBlank()).toList();
            return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size())) + "\n";
        } catch (IOException unreadable) {
            return "its log cannot be read: " + unreadable.getMessage() + "\n";
        }
    }

    String name() {
        return place.name();
    }

    Path log() {
        return log;
    }

    /** SIGTERM. */
    void terminate() {
        if (process != null) {
            process.destroy();
        }
    }

    /** Waits for its end, and kills it when that does not come. */
    void awaitEnd(Deadline deadline) {
        while (process != null && process.isAlive()) {
            try {
                if (!process.waitFor(Math.max(0, deadline.nanosLeft()), TimeUnit.NANOSECONDS)) {
                    process.destroyForcibly().onExit().join();
                }
            } catch (InterruptedException again) {
                // Whoever stops the cluster has been heard: it is being stopped, and nothing may be left behind.
            }
        }
    }

    /** Ends the connection; the process is left as it is. */
    @Override
    public void close() {
        client.close();
    }
}
