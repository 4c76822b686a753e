package dev.quoin.ctl.cluster;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Terminal;

/** One run of {@code quoin cluster}, until its thread is interrupted. */
public final class ClusterRun {
    private static final long LOOK_MILLIS = 1_000;
    private static final int TYPED_MAX = 16;

    private final InputStream in;
    private final PrintStream out;
    private final Order order;

    /**
     * What was asked for.
     *
     * @param members how many
     * @param directory for what they write; without one, a temporary one that is removed at the end
     * @param keeps whether even a temporary one stays
     * @param home of the image
     * @param flags more of them, for each member
     */
    public record Order(int members, @Nullable Path directory, boolean keeps, Path home, List<String> flags) {}

    /**
     * @param in what is typed
     * @param out where the members are shown; it must not end the process when nobody reads any more: that ends the cluster, in order
     */
    public ClusterRun(InputStream in, PrintStream out, Order order) {
        this.in = in;
        this.out = out;
        this.order = order;
    }

    /**
     * Starts the members, shows how they are, and stops them when this thread is interrupted, when one does not start, or when nobody
     * reads any more.
     */
    public void run() throws IOException {
        Path given = order.directory;
        Path directory = given == null ? Files.createTempDirectory("quoin-cluster-")
                : Files.createDirectories(given.toAbsolutePath());
        boolean isRemoved = given == null && !order.keeps;
        try {
            runIn(directory);
        } finally {
            if (isRemoved) {
                remove(directory);
            } else {
                say("What the members wrote is in " + directory + "\n");
            }
        }
    }

    private void runIn(Path directory) throws IOException {
        Layout layout = Layout.of(directory, order.members);
        try (LocalCluster cluster = new LocalCluster(layout, order.home.resolve("bin/etcd"), order.flags)) {
            say("Starting " + order.members + (order.members == 1 ? " member" : " members") + " in " + directory
                    + " ...\n");
            cluster.start();
            say("Ready; Ctrl-C stops " + (order.members == 1 ? "it" : "them") + ". To ask "
                    + (order.members == 1 ? "it" : "them") + ":\n\n  quoin ctl --endpoints=" + layout.endpoints()
                    + " endpoint status -w table\n\n");
            watch(cluster);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
        say("Stopped.\n");
    }

    private void watch(LocalCluster cluster) throws IOException, InterruptedException {
        boolean isWatched = Terminal.isAt(Terminal.OUTPUT);
        ClusterView view = new ClusterView(out, isWatched);
        BlockingQueue<String> typed = new ArrayBlockingQueue<>(TYPED_MAX);
        if (!Terminal.isAt(Terminal.INPUT) || Terminal.isForeground()) {
            Thread.ofPlatform().daemon().name("typed").start(() -> read(typed));
        }
        while (!out.checkError()) {
            view.show(cluster.look());
            String line = typed.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            if (line != null) {
                view.noteLineTyped();
                restart(cluster, line.strip());
            }
        }
    }

    private static void restart(LocalCluster cluster, String number) throws IOException {
        if (number.length() == 1 && Character.isDigit(number.charAt(0))) {
            cluster.restart(number.charAt(0) - '0');
        }
    }

    /** Lines that are typed, until there are no more. */
    private void read(BlockingQueue<String> typed) {
        try {
            BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                typed.put(line);
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        } catch (IOException why) {
            say("What is typed is not heard any more: " + why.getMessage() + "\n");
        }
    }

    private void say(String text) {
        out.print(text);
        out.flush();
    }

    private static void remove(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException why) {
            throw Failure.of(directory + " could not be removed: " + why.getMessage());
        }
    }
}
