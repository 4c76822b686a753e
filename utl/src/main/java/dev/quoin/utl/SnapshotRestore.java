package dev.quoin.utl;

import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import dev.quoin.base.Bytes;
import dev.quoin.base.GoQuote;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.snapshot.SnapshotHash;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.member.MemberLimits;
import dev.quoin.member.MemberRestore;
import dev.quoin.member.Origin;
import dev.quoin.member.SnapshotRefused;
import dev.quoin.member.StartRefused;
import dev.quoin.member.founding.InitialCluster;
import dev.quoin.member.founding.PeerUrls;
import dev.quoin.member.founding.UrlComparison;

/**
 * Restores a snapshot into a new data directory, as {@code etcdutl snapshot restore} does (etcdutl/snapshot/v3_snapshot.go
 * Restore): the same settings, checked in the same order, refused in the same words. The file is a snapshot of Quoin's or of an
 * etcd's, 3.5 to 3.7, or with {@code --skip-hash-check} a database out of an etcd's directory; it is only read.
 *
 * @param file to be restored
 * @param name of the member that is made, one of {@code initialCluster}
 * @param dataDirectory must not be there, or be empty
 * @param logDirectory of the write-ahead log; must not be there
 * @param peerUrls those of this member
 * @param initialCluster all members of the new cluster, {@code a=http://…,b=http://…}
 * @param token part of all ids: restored with another one it is another cluster
 * @param skipsHashCheck whether the file may lack its SHA-256, or have a wrong one
 * @param revisionBump by how much the newest revision is to be higher, with all history before that compacted; 0 leaves it
 */
public record SnapshotRestore(Path file, String name, Path dataDirectory, Path logDirectory, List<String> peerUrls,
        String initialCluster, String token, boolean skipsHashCheck, long revisionBump) {

    /** As etcdutl has them. */
    static final List<Option> OPTIONS = List.of(
            Option.of("bump-revision", Option.Kind.NUMBER, "0",
                    "How much to increase the latest revision after restore"),
            Option.of("data-dir", Option.Kind.TEXT, "", "Path to the output data directory"),
            Option.of("initial-advertise-peer-urls", Option.Kind.TEXT, "http://localhost:2380",
                    "List of this member's peer URLs to advertise to the rest of the cluster"),
            Option.of("initial-cluster", Option.Kind.TEXT, "default=http://localhost:2380",
                    "Initial cluster configuration for restore bootstrap"),
            Option.of("initial-cluster-token", Option.Kind.TEXT, "etcd-cluster",
                    "Initial cluster token for the etcd cluster during restore bootstrap"),
            Option.of("initial-memory-map-size", Option.Kind.NUMBER, "10737418240",
                    "Initial memory map size of the database in bytes. It uses the default value if not defined or"
                            + " defined to 0"),
            Option.of("mark-compacted", Option.Kind.BOOLEAN, "false",
                    "Mark the latest revision after restore as the point of scheduled compaction (required if"
                            + " --bump-revision > 0, disallowed otherwise)"),
            Option.of("name", Option.Kind.TEXT, "default", "Human-readable name for this member"),
            Option.of("skip-hash-check", Option.Kind.BOOLEAN, "false",
                    "Ignore snapshot integrity hash value (required if copied from data directory)"),
            Option.of("wal-dir", Option.Kind.TEXT, "", "Path to the WAL directory (use --data-dir if none given)"));

    /** What etcd takes for the addresses of all names. */
    private static final Duration RESOLVING = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    /** Above it etcdutl lowers the revision, by counting past its end. */
    private static final BigInteger BUMP_MAX = BigInteger.valueOf(Long.MAX_VALUE);

    /** Hears what is being done. */
    @FunctionalInterface
    public interface Progress {
        void told(Level level, String message, Map<String, Object> fields);

        /** As it is shown in a line of the log. */
        enum Level {
            INFO, WARN
        }
    }

    public SnapshotRestore {
        peerUrls = List.copyOf(peerUrls);
    }

    /** @throws Refused if the arguments do not fit together */
    static SnapshotRestore of(Arguments arguments, List<String> files) throws Refused {
        if (files.size() != 1) {
            throw new Refused(Refused.Exit.BAD_ARGUMENTS, "snapshot restore requires exactly one argument");
        }
        BigInteger bump = arguments.number("bump-revision");
        if (bump.signum() > 0 != arguments.isTrue("mark-compacted")) {
            throw new Refused(Refused.Exit.BAD_ARGUMENTS, "--mark-compacted required if --revision-bump > 0");
        }
        if (bump.compareTo(BUMP_MAX) > 0) {
            throw new Refused(Refused.Exit.BAD_ARGUMENTS, "--bump-revision must not be more than " + BUMP_MAX);
        }
        String name = arguments.text("name");
        Path data = Path.of(arguments.text("data-dir").isEmpty() ? name + ".etcd" : arguments.text("data-dir"));
        Path log = arguments.text("wal-dir").isEmpty()
                ? data.resolve("member").resolve("wal")
                : Path.of(arguments.text("wal-dir"));
        return new SnapshotRestore(Path.of(files.getFirst()), name, data, log,
                List.of(arguments.text("initial-advertise-peer-urls").split(",", -1)),
                arguments.text("initial-cluster"), arguments.text("initial-cluster-token"),
                arguments.isTrue("skip-hash-check"), bump.longValueExact());
    }

    /**
     * Restores it. Takes as long as it takes to read the file two or three times, and may wait for names to be resolved.
     *
     * @throws Refused if it is not done; then nothing is left of it
     */
    public void run(Disk disk, Progress progress) throws Refused, InterruptedException {
        try {
            Origin.Founder founder = founder(progress);
            checkDirectories(disk);
            Map<String, Object> fields = fields();
            progress.told(Progress.Level.INFO, "restoring snapshot", fields);
            checkHash(disk);
            try (SnapshotReader database = SnapshotReader.openUnverified(disk, file, SnapshotLimits.DEFAULT)) {
                new MemberRestore(disk, dataDirectory, logDirectory, MemberLimits.DEFAULT).run(file, database, founder,
                        revisionBump);
            }
            progress.told(Progress.Level.INFO, "restored snapshot", fields);
        } catch (Damaged | DiskFailure | SnapshotRefused | StartRefused failed) {
            throw new Refused(String.valueOf(failed.getMessage()));
        }
    }

    private Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("path", file.toString());
        fields.put("wal-dir", logDirectory.toString());
        fields.put("data-dir", dataDirectory.toString());
        if (revisionBump > 0) {
            fields.put("bump-amount", revisionBump);
        }
        return fields;
    }

    // ---- what is asked for

    private Origin.Founder founder(Progress progress) throws Refused, InterruptedException {
        List<String> advertised;
        InitialCluster cluster;
        try {
            advertised = PeerUrls.parse(peerUrls);
            cluster = InitialCluster.parse(initialCluster);
        } catch (PeerUrls.Bad bad) {
            throw new Refused(String.valueOf(bad.getMessage()));
        }
        if (cluster.urlsOf(name).isEmpty()) {
            throw new Refused("couldn't find local name " + GoQuote.of(name)
                    + " in the initial cluster configuration");
        }
        String mismatch = cluster.mismatch(name, advertised,
                new UrlComparison(InetAddress::getByName, RESOLVING, PAUSE, (url, host, pause, why) -> progress.told(
                        Progress.Level.WARN, "failed to resolve URL Host",
                        Map.of("url", url, "host", host, "error", why))));
        if (mismatch != null) {
            throw new Refused(mismatch);
        }
        if (cluster.hasDuplicateUrl()) {
            throw new Refused("initial cluster " + cluster + " has duplicate url");
        }
        return Origin.Founder.of(name, cluster.members(token));
    }

    private void checkDirectories(Disk disk) throws Refused {
        if (disk.exists(dataDirectory) && !isEmpty(disk)) {
            throw new Refused("data-dir " + GoQuote.of(dataDirectory.toString())
                    + " not empty or could not be read");
        }
        if (disk.exists(logDirectory)) {
            throw new Refused("wal-dir " + GoQuote.of(logDirectory.toString()) + " exists");
        }
    }

    private boolean isEmpty(Disk disk) {
        try {
            return disk.list(dataDirectory).stream().allMatch(MemberRestore::isLeftover);
        } catch (DiskFailure unreadable) {
            return false;
        }
    }

    // ---- the file

    private void checkHash(Disk disk) throws Refused {
        if (!disk.exists(file)) {
            throw new Refused("open " + file + ": no such file or directory");
        }
        try (DiskFile open = disk.openToRead(file)) {
            if (open.size() < SnapshotHash.BYTES) {
                throw new Refused("seek " + file + ": invalid argument");
            }
            if (skipsHashCheck) {
                return;
            }
            if (!SnapshotHash.isBehind(open)) {
                throw new Refused("snapshot missing hash but --skip-hash-check=false");
            }
            SnapshotHash hash = SnapshotHash.read(open);
            if (!hash.isRight()) {
                throw new Refused("expected sha256 " + numbers(hash.stored()) + ", got " + numbers(hash.actual()));
            }
        }
    }

    /** As Go prints bytes. */
    private static String numbers(Bytes bytes) {
        byte[] array = bytes.toByteArray();
        return IntStream.range(0, array.length).mapToObj(i -> Integer.toString(array[i] & 0xff))
                .collect(Collectors.joining(" ", "[", "]"));
    }
}
