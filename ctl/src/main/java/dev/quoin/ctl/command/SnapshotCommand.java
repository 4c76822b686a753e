package dev.quoin.ctl.command;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.quoin.api.etcdserverpb.SnapshotRequest;
import dev.quoin.api.etcdserverpb.SnapshotResponse;
import dev.quoin.base.HumanBytes;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.rpc.Call;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;
import dev.quoin.ctl.text.GoDurations;

/**
 * snapshot save (etcd: snapshot_command.go, client/v3/snapshot/v3_snapshot.go). Kept from etcdctl up to 3.5, since many guides name them,
 * and left out of help as 3.7.1 has them no more: snapshot restore and status, which work on files and are etcdutl's; flags about
 * connections are taken and mean nothing.
 */
final class SnapshotCommand {
    private static final String EXAMPLES = ("  "
            + """
                    # Save snapshot to a given file
                    etcdctl snapshot save /backup/etcd-snapshot.db

                    # Get snapshot from given address and save it to file
                    etcdctl snapshot save --endpoints=127.0.0.1:3000 /backup/etcd-snapshot.db

                    # Get snapshot from given address with certificates
                    etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/etcd.crt --key=/etc/etcd/etcd.key snapshot save /backup/etcd-snapshot.db

                    # Get snapshot with certain user and password
                    etcdctl --user=root --password=password123 snapshot save /backup/etcd-snapshot.db

                    # Get snapshot from given address with timeout
                    etcdctl --endpoints=https://127.0.0.1:2379 --dial-timeout=20s snapshot save /backup/etcd-snapshot.db

                    # Save snapshot with desirable time format
                    etcdctl snapshot save /mnt/backup/etcd/backup_$(date +%Y%m%d_%H%M%S).db""")
            .replace("\n", "\n  ");
    /** The checksum behind the database file, whose own length is a multiple of a sector's. */
    private static final int CHECKSUM_BYTES = 32;
    private static final int SECTOR_BYTES = 512;
    private static final List<String> RESTORE_FLAGS = List.of("bump-revision", "data-dir",
            "initial-advertise-peer-urls", "initial-cluster", "initial-cluster-token", "mark-compacted", "name",
            "skip-hash-check", "wal-dir");

    private final Commands commands;

    SnapshotCommand(Commands commands) {
        this.commands = commands;
    }

    Command snapshot() {
        return new Command("snapshot <subcommand>", "Manages etcd node snapshots").withExamples(EXAMPLES)
                .in(Commands.MAINTENANCE)
                .of(new Command("save <filename>", "Stores an etcd node backend snapshot to a given file")
                        .withExamples(EXAMPLES).doing(commands.action(SnapshotCommand::save)),
                        new Command("restore <filename> [options]",
                                "Restores an etcd member snapshot to an etcd directory").hidden()
                                .taking(Flag.of("bump-revision", Flag.Kind.UINT, "0",
                                        "How much to increase the latest revision after restore"),
                                        Flag.string("data-dir", "", "Path to the data directory"),
                                        Flag.string("initial-advertise-peer-urls", "http://localhost:2380",
                                                "List of this member's peer URLs to advertise to the rest of the "
                                                        + "cluster"),
                                        Flag.string("initial-cluster", "default=http://localhost:2380",
                                                "Initial cluster configuration for restore bootstrap"),
                                        Flag.string("initial-cluster-token", "etcd-cluster",
                                                "Initial cluster token for the etcd cluster during restore bootstrap"),
                                        Flag.bool("mark-compacted", "Mark the latest revision after restore as the "
                                                + "point of scheduled compaction (required if --bump-revision > 0, "
                                                + "disallowed otherwise)"),
                                        Flag.string("name", "default", "Human-readable name for this member"),
                                        Flag.bool("skip-hash-check", "Ignore snapshot integrity hash value (required "
                                                + "if copied from data directory)"),
                                        Flag.string("wal-dir", "",
                                                "Path to the WAL directory (use --data-dir if none given)"))
                                .doing(commands.action(context -> utl(context, "restore", RESTORE_FLAGS))),
                        new Command("status <filename>", "Gets backend snapshot status of a given file").hidden()
                                .doing(commands.action(
                                        context -> utl(context, "status", List.of(GlobalFlags.WRITE_OUT)))));
    }

    /** Lets etcdutl's command of this name do it, with those of the flags that were given. */
    private static void utl(Context context, String command, List<String> flags) {
        List<String> words = new ArrayList<>(List.of("snapshot", command));
        for (String name : flags) {
            if (context.flags().isGiven(name)) {
                words.add("--" + name + "=" + context.flags().shown(name));
            }
        }
        words.add("--");
        words.addAll(context.arguments());
        int exitCode = dev.quoin.utl.Main.run(words, context.streams().out(), context.streams().err());
        if (exitCode != 0) {
            throw Failure.silent(exitCode);
        }
    }

    private static Failure failed(String why) {
        return new Failure(Failure.INTERRUPTED, why);
    }

    private static void save(Context context) {
        context.expectArguments(1, "snapshot save expects one argument <filename>");
        List<String> endpoints = context.endpoints();
        if (endpoints.size() != 1) {
            throw failed("snapshot must be requested to one selected node, not multiple "
                    + Commands.listed(endpoints));
        }
        String path = context.argument(0);
        String version = save(context, context.client(), endpoints.get(0), path);
        context.print("Snapshot saved at " + path + "\n");
        if (!version.isEmpty()) {
            context.print("Server version " + version + "\n");
        }
    }

    /** Takes a snapshot of one server into a file, which is there whole or not at all; returns the server's version. */
    static String save(Context context, Client client, String endpoint, String path) {
        Path part = Path.of(path + ".part");
        String version;
        try {
            version = download(context, client, endpoint, part);
            move(part, Path.of(path));
        } finally {
            remove(part);
        }
        context.log().line("info", "saved", "path", path);
        return version;
    }

    /** Writes all that the server sends, and syncs it; returns the server's version. */
    private static String download(Context context, Client client, String endpoint, Path part) {
        long begin = System.nanoTime();
        // However long it takes, unless a time was set.
        Deadline deadline = context.flags().isGiven(GlobalFlags.COMMAND_TIMEOUT) ? context.deadline() : Deadline.NEVER;
        try (FileChannel file = create(part);
                Call call = client.begin(Method.SNAPSHOT, Map.of(), deadline)) {
            context.log().line("info", "created temporary db file", "path", part.toString());
            call.sendLast(SnapshotRequest.getDefaultInstance().toByteArray());
            context.log().line("info", "fetching snapshot", "endpoint", endpoint);
            String version = "";
            long bytes = 0;
            for (byte[] message = call.receive(); message != null; message = call.receive()) {
                SnapshotResponse piece = Client.parse(SnapshotResponse.parser(), message);
                version = version.isEmpty() ? piece.getVersion() : version;
                bytes += write(file, piece);
            }
            if (bytes % SECTOR_BYTES != CHECKSUM_BYTES) {
                throw failed("sha256 checksum not found [bytes: " + bytes + "]");
            }
            sync(file);
            context.log().line("info", "fetched snapshot", "endpoint", endpoint, "size", HumanBytes.text(bytes), "took",
                    GoDurations.text(System.nanoTime() - begin), "etcd-version", version);
            return version;
        } catch (RpcException why) {
            throw failed(why.isLate() ? Errors.words(why) : String.valueOf(why.getMessage()));
        } catch (IOException why) {
            throw failed("could not close file descriptor: " + why.getMessage());
        }
    }

    private static FileChannel create(Path part) {
        try {
            return FileChannel.open(part,
                    Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (NoSuchFileException why) {
            throw failed("could not open " + part + " (open " + part + ": no such file or directory)");
        } catch (IOException why) {
            throw failed("could not open " + part + " (" + why.getMessage() + ")");
        }
    }

    private static int write(FileChannel file, SnapshotResponse piece) {
        ByteBuffer bytes = piece.getBlob().asReadOnlyByteBuffer();
        int length = bytes.remaining();
        try {
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
            return length;
        } catch (IOException why) {
            throw failed("could not write snapshot: " + why.getMessage());
        }
    }

    private static void sync(FileChannel file) {
        try {
            file.force(true);
        } catch (IOException why) {
            throw failed("could not fsync snapshot: " + why.getMessage());
        }
    }

    private static void move(Path part, Path path) {
        try {
            Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException why) {
            throw failed("could not rename " + part + " to " + path + " (" + why.getReason() + ")");
        } catch (IOException why) {
            throw failed("could not rename " + part + " to " + path + " (" + why.getMessage() + ")");
        }
    }

    private static void remove(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException why) {
            throw failed("could not remove " + part + " (" + why.getMessage() + ")");
        }
    }
}
