package dev.quoin.trial;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

/**
 * A server as a process of its own: Quoin's image, or any program with etcd's flags. It has a data directory and free
 * loopback ports that stay the same over restarts, and an environment with nothing but {@code PATH}. It is ended by its
 * process id, and does not outlive the tests.
 */
final class ServerProcess implements AutoCloseable {
    private static final String READY = "ready to serve client requests";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path home;
    private final List<String> wrapper = new ArrayList<>();
    private final List<String> flags = new ArrayList<>();
    private final Map<String, String> environment = new TreeMap<>();
    private final Path executable;
    private final int clientPort;
    private final int peerPort;
    private Path dataDirectory;
    private int starts;
    private @Nullable Process process;

    private ServerProcess(Path executable, Path home, List<Integer> ports) {
        this.executable = executable;
        this.home = home;
        this.dataDirectory = home.resolve("data");
        this.clientPort = ports.get(0);
        this.peerPort = ports.get(1);
    }

    /** The image this build has left; the property {@code quoin.server} names another server to ask the same. */
    static Path image() {
        String other = System.getProperty("quoin.server", "");
        Path image = Path.of(other.isEmpty() ? "../dist/target/quoin/bin/etcd" : other).toAbsolutePath().normalize();
        if (!Files.isExecutable(image)) {
            throw new AssertionError(image + " is not there: build it with ./quoin dev build");
        }
        return image;
    }

    /** The image, not started, with all its files below {@code home}. */
    static ServerProcess prepared(Path home) {
        return new ServerProcess(image(), home, freePorts(2));
    }

    /** Any program with etcd's flags, not started, with these ports for clients and for members. */
    static ServerProcess of(Path executable, Path home, int clientPort, int peerPort) {
        return new ServerProcess(executable, home, List.of(clientPort, peerPort));
    }

    /** The image, started and ready. */
    static ServerProcess started(Path home) throws IOException, InterruptedException {
        ServerProcess server = prepared(home);
        server.start();
        return server;
    }

    /** Puts a command before the server's own: a tracer that the process becomes visible to. */
    ServerProcess wrappedBy(List<String> command) {
        wrapper.clear();
        wrapper.addAll(command);
        return this;
    }

    ServerProcess with(String... more) {
        Collections.addAll(flags, more);
        return this;
    }

    ServerProcess withVariable(String name, String value) {
        environment.put(name, value);
        return this;
    }

    ServerProcess on(Path directory) {
        dataDirectory = directory;
        return this;
    }

    /** Starts the process and waits until it says that it is ready. */
    void start() throws IOException, InterruptedException {
        spawn();
        awaitReady();
    }

    void awaitReady() throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!stderr().contains(READY)) {
            if (!running().isAlive()) {
                throw new AssertionError("the server ended with " + running().exitValue()
                        + " before it was ready; it printed:\n" + stderr());
            }
            if (System.nanoTime() > deadline) {
                kill9();
                throw new AssertionError("the server was not ready within " + PATIENCE + "; it printed:\n" + stderr());
            }
            Thread.sleep(5);
        }
    }

    /** Starts the process and does not wait. */
    void spawn() throws IOException {
        if (process != null && process.isAlive()) {
            throw new IllegalStateException("it is running already");
        }
        starts++;
        ProcessBuilder builder = new ProcessBuilder(command()).directory(home.toFile())
                .redirectOutput(stdoutFile().toFile()).redirectError(stderrFile().toFile());
        Program.leaveOnlyPath(builder.environment());
        builder.environment().putAll(environment);
        Process spawned = builder.start();
        // Should the tests die first, the server must not stay.
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(spawned::destroyForcibly));
        process = spawned;
    }

    private List<String> command() {
        List<String> command = new ArrayList<>(wrapper);
        command.add(executable.toString());
        command.addAll(List.of("--data-dir", dataDirectory.toString(), //
                "--listen-client-urls", clientUrl(), "--advertise-client-urls", clientUrl(), //
                "--listen-peer-urls", peerUrl(), "--initial-advertise-peer-urls", peerUrl(), //
                "--initial-cluster", "default=" + peerUrl()));
        command.addAll(flags);
        return command;
    }

    /** SIGKILL, and wait for the end. */
    void kill9() throws InterruptedException {
        running().destroyForcibly();
        awaitExit(Duration.ofSeconds(20));
    }

    /** SIGTERM; returns the exit code: 128 + 15 when the signal ended it. */
    int sigterm(Duration within) throws InterruptedException {
        running().destroy();
        return awaitExit(within);
    }

    /** Waits for the process to end by itself, and returns its exit code. */
    int awaitExit(Duration within) throws InterruptedException {
        if (!running().waitFor(within.toMillis(), TimeUnit.MILLISECONDS)) {
            running().destroyForcibly().waitFor();
            throw new AssertionError("the server did not end within " + within + "; it printed:\n" + stderr());
        }
        return running().exitValue();
    }

    boolean isAlive() {
        return running().isAlive();
    }

    long pid() {
        return running().pid();
    }

    Path dataDirectory() {
        return dataDirectory;
    }

    Path wal() {
        return dataDirectory.resolve("member").resolve("wal");
    }

    int clientPort() {
        return clientPort;
    }

    String clientUrl() {
        return "http://127.0.0.1:" + clientPort;
    }

    String peerUrl() {
        return "http://127.0.0.1:" + peerPort;
    }

    /** What the process printed since its last start. */
    String stderr() {
        return read(stderrFile());
    }

    String stdout() {
        return read(stdoutFile());
    }

    private Path stderrFile() {
        return home.resolve("server-" + starts + ".stderr");
    }

    private Path stdoutFile() {
        return home.resolve("server-" + starts + ".stdout");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Process running() {
        return Objects.requireNonNull(process, "it has not been started");
    }

    @Override
    public void close() {
        if (process != null) {
            process.destroyForcibly().onExit().join();
        }
    }

    /** Ports below those the kernel gives to outgoing connections: one of these could take a port while we restart. */
    static List<Integer> freePorts(int count) {
        Set<Integer> ports = new LinkedHashSet<>();
        for (int attempt = 0; attempt < 1000 && ports.size() < count; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(12_000, 32_000);
            if (isFree(port)) {
                ports.add(port);
            }
        }
        return List.copyOf(ports);
    }

    private static boolean isFree(int port) {
        try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return probe.isBound();
        } catch (IOException taken) {
            return false;
        }
    }
}
