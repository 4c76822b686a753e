package dev.quoin.ctl.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

import dev.quoin.ctl.cli.Failure;

/**
 * Where the members of a local cluster are: below one directory, on ports of the loopback address. A file {@code cluster} there remembers
 * the ports, since members that have begun expect each other where they were.
 *
 * @param directory exists
 * @param members by name, {@code m1} first
 */
record Layout(Path directory, List<Place> members) {
    private static final String FILE = "cluster";
    private static final int FIRST_PORT = 2379;
    /** Above it the kernel gives ports to whoever connects somewhere. */
    private static final int LAST_PORT = 32_000;

    /** One member's. */
    record Place(String name, int clientPort, int peerPort) {
        String endpoint() {
            return "127.0.0.1:" + clientPort;
        }

        String clientUrl() {
            return "http://" + endpoint();
        }

        String peerUrl() {
            return "http://127.0.0.1:" + peerPort;
        }
    }

    /**
     * What the directory remembers, or, if it is new, ports that are free now: those etcd has by itself if nobody has them.
     *
     * @param count how many members there are to be
     */
    static Layout of(Path directory, int count) throws IOException {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            Layout layout = new Layout(directory, places(count));
            Files.write(file, layout.members.stream()
                    .map(place -> place.name + " " + place.clientPort + " " + place.peerPort).toList());
            return layout;
        }
        List<Place> known = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            known.add(place(line, file));
        }
        if (known.size() != count) {
            throw Failure.of(directory + " is a cluster of " + known.size() + ", not of " + count
                    + ": start it as that, or name another directory");
        }
        return new Layout(directory, List.copyOf(known));
    }

    private static Place place(String line, Path file) {
        if (!line.matches("m[1-9] [0-9]{1,5} [0-9]{1,5}")) {
            throw Failure.of(file + " is no list of members and ports: " + line);
        }
        String[] fields = line.split(" ", -1);
        return new Place(fields[0], Integer.parseInt(fields[1]), Integer.parseInt(fields[2]));
    }

    private static List<Place> places(int count) {
        List<Place> places = new ArrayList<>();
        for (int port = FIRST_PORT; places.size() < count && port < LAST_PORT; port += 2) {
            if (isFree(port) && isFree(port + 1)) {
                places.add(new Place("m" + (places.size() + 1), port, port + 1));
            }
        }
        if (places.size() < count) {
            throw Failure.of("there are not enough free ports between " + FIRST_PORT + " and " + LAST_PORT);
        }
        return List.copyOf(places);
    }

    private static boolean isFree(int port) {
        try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return probe.isBound();
        } catch (IOException taken) {
            return false;
        }
    }

    /** For {@code --endpoints}. */
    String endpoints() {
        return members.stream().map(Place::endpoint).collect(Collectors.joining(","));
    }

    /** For {@code --initial-cluster}. */
    String initialCluster() {
        return members.stream().map(place -> place.name + "=" + place.peerUrl()).collect(Collectors.joining(","));
    }

    Path data(Place place) {
        return directory.resolve(place.name + ".etcd");
    }

    Path log(Place place) {
        return directory.resolve(place.name + ".log");
    }
}
