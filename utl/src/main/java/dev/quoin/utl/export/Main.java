package dev.quoin.utl.export;

import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.RealDisk;
import dev.quoin.member.EtcdExport;
import dev.quoin.member.SemVersion;
import dev.quoin.member.StartRefused;
import dev.quoin.member.StoppedMember;
import dev.quoin.utl.EtcdDirectory;

/** The process {@code quoin export}: 0 if it is done, 1 if not, 2 if it was not understood. */
public final class Main {
    private static final int DONE = 0;
    private static final int NOT_DONE = 1;
    private static final int MISUSED = 2;

    private static final String USAGE = """
            quoin export DIR [--out NEW] [--target 3.7|3.6|3.5] [--wal-dir DIR]

            Makes of the data directory of a Quoin member that does not run one that etcd starts on, as the same member of the
            same cluster: all keys with their history, users, leases, alarms; its term, its vote and what its log has not
            applied yet. What Quoin had stays beside it as member.quoin, where nobody starts on it.

              --out NEW       leaves DIR as it is, and makes the directory NEW. Only one of the two may ever be started:
                              a member that is there twice votes twice
              --target 3.X    the etcd that is to start on it. Without it any that the cluster's version allows. The version
                              of a cluster of one is lowered to it; that of a larger one is only by etcdctl downgrade
              --wal-dir DIR   where the write-ahead log is, if the member was given a --wal-dir; etcd's will be there, too,
                              but with --out

            The way back: start Quoin on etcd's directory.
            """;

    private static final Map<String, SemVersion> TARGETS = new TreeMap<>(Map.of("3.5", new SemVersion(3, 5, 0), "3.6",
            new SemVersion(3, 6, 0), "3.7", new SemVersion(3, 7, 0)));

    private Main() {}

    public static void main(String[] args) {
        System.exit(run(new RealDisk(), List.of(args), System.out, System.err));
    }

    /** What is asked for. */
    private record Order(Path directory, @Nullable Path log, @Nullable Path out, @Nullable SemVersion target) {}

    private static final class Misused extends Exception {
        private static final long serialVersionUID = 1L;

        Misused(String message) {
            super(message);
        }
    }

    /** Runs to its end; what the process is to end with. */
    static int run(Disk disk, List<String> words, PrintStream out, PrintStream err) {
        if (words.contains("--help") || words.contains("-h")) {
            out.print(USAGE);
            return DONE;
        }
        try {
            export(disk, order(words), out);
            return DONE;
        } catch (Misused | InvalidPathException misused) {
            err.print("quoin export: " + misused.getMessage() + "\n" + USAGE);
            return MISUSED;
        } catch (StartRefused | DiskFailure refused) {
            err.println("quoin export: " + refused.getMessage());
            return NOT_DONE;
        } catch (Damaged damage) {
            err.println("quoin export: " + damage.getMessage() + "\nquoin doctor says what is wrong and what to do.");
            return NOT_DONE;
        }
    }

    private static Order order(List<String> words) throws Misused {
        Map<String, String> said = new TreeMap<>();
        List<String> rest = new ArrayList<>();
        for (int at = 0; at < words.size(); at++) {
            String word = words.get(at);
            int equals = word.indexOf('=');
            String name = equals < 0 ? word : word.substring(0, equals);
            if (!name.startsWith("--")) {
                rest.add(word);
            } else if (!List.of("--out", "--target", "--wal-dir").contains(name)) {
                throw new Misused("unknown option " + name);
            } else if (equals >= 0) {
                said.put(name, word.substring(equals + 1));
            } else if (at + 1 < words.size()) {
                at++;
                said.put(name, words.get(at));
            } else {
                throw new Misused(name + " needs a value");
            }
        }
        if (rest.size() != 1) {
            throw new Misused("one directory is to be named");
        }
        String target = said.get("--target");
        if (target != null && !TARGETS.containsKey(target)) {
            throw new Misused("--target is one of " + String.join(", ", TARGETS.keySet()) + ", not " + target);
        }
        return new Order(Path.of(rest.getFirst()), path(said.get("--wal-dir")), path(said.get("--out")),
                target == null ? null : TARGETS.get(target));
    }

    private static @Nullable Path path(@Nullable String said) {
        return said == null ? null : Path.of(said);
    }

    private static void export(Disk disk, Order order, PrintStream out) {
        EtcdExport export = order.out == null
                ? EtcdExport.inPlace(disk, order.directory, order.log, order.target)
                : EtcdExport.into(disk, order.directory, order.log, order.out, order.target);
        if (export.isHalfDone()) {
            export.resume();
            out.println("What an earlier export had begun is done. Etcd can start on " + order.directory + ".");
            return;
        }
        if (!disk.exists(order.directory) || !StoppedMember.isQuoins(disk, order.directory)) {
            boolean isEtcds = disk.exists(order.directory) && new EtcdDirectory(order.directory).hasDatabase(disk);
            throw new StartRefused(isEtcds ? order.directory + " is the data directory of an etcd already."
                    : order.directory + " holds no Quoin member. Name its --data-dir.");
        }
        tell(export.run(), order, out);
    }

    private static void tell(EtcdExport.Exported made, Order order, PrintStream out) {
        Path directory = order.out == null ? order.directory : order.out;
        out.println("Etcd " + made.version().major() + "." + made.version().minor() + (made.version().minor() < 7
                ? " or newer, up to 3.7,"
                : "") + " can start on " + directory + ": member " + Long.toHexString(made.memberId()) + " of cluster "
                + Long.toHexString(made.clusterId()) + ", revision " + made.revision() + ", " + made.keys()
                + " keys; applied up to index "
                + made.appliedIndex() + ", the log goes on to " + made.lastIndex() + ", term " + made.term() + ".");
        if (made.isLowered()) {
            out.println("The cluster's version is " + made.version() + " now.");
        }
        Path kept = made.kept();
        out.println(kept == null
                ? order.directory
                        + " is as it was. Start only one of the two, ever: a member that is there twice votes twice."
                : "What Quoin had is in " + kept + ". Delete it once etcd is healthy.");
    }
}
