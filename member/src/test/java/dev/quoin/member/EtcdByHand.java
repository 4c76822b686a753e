package dev.quoin.member;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.Metadata;
import dev.quoin.base.Bytes;
import dev.quoin.disk.Disk;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.snapshot.SnapshotWriter;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.EntryKind;
import dev.quoin.store.Command;

/** The files of an etcd's member as etcd lays them out: a database with a state, and a log that begins before that and goes on behind it. */
final class EtcdByHand {
    static final long MEMBER = 0x8e9e05c52164694dL;
    static final long CLUSTER = 0xcdf818194e3a8c32L;
    static final long TERM = StoreByHand.TERM;
    private static final Bytes META = Bytes.utf8("meta");

    final StoreByHand state;
    /** Behind which the log begins. */
    long mark;
    /** The last entry in the log. */
    long last;
    WalState promised;
    /** Who decides as of the mark, by the log. */
    Membership deciding;
    /** What the entries say that are not empty. */
    final SortedMap<Long, WalEntry> said = new TreeMap<>();
    private byte[] database;

    EtcdByHand() {
        this(StoreByHand.MEMBERS);
    }

    EtcdByHand(Membership members) {
        FaultyDisk elsewhere = new FaultyDisk(new Random(1));
        state = new StoreByHand(elsewhere, Path.of("/state"), members);
        deciding = members;
        state.apply(new Command.LeaseGrant(77, 60));
        state.put("leased", "v", 77);
        state.change(new Random(9), 60);
        state.compact(40, false);
        state.change(new Random(10), 10);
        state.apply(new Command.Alarm(Command.Alarm.Action.ACTIVATE, MEMBER, 1));
        database = state.bytes();
        mark = state.index() - 20;
        last = state.index() + 3;
        promised = new WalState(TERM + 4, 7, state.index() + 1);
    }

    /** What a start finds there. A compaction that it goes on with has no hash, as with etcd. */
    Map<String, Object> expected() {
        Map<String, Object> all = StoreByHand.all(state.store());
        all.computeIfPresent("compaction", (_, text) -> text.toString().replace("hashed=true", "hashed=false"));
        return all;
    }

    long applied() {
        return state.index();
    }

    byte[] database() {
        return database;
    }

    void say(long index, EntryKind kind, Bytes data) {
        said.put(index, new WalEntry(kind.number(), TERM, index, data));
    }

    /** Changes what the database says of itself. */
    void changeMeta(Consumer<SortedMap<Bytes, Bytes>> change) {
        Path file = Path.of("/db");
        FaultyDisk disk = new FaultyDisk(new Random(1));
        disk.put(file, database);
        try (SnapshotReader reader = SnapshotReader.openUnverified(disk, file, SnapshotLimits.DEFAULT)) {
            SortedMap<Bytes, Bytes> meta = SnapshotImport.meta(file, reader);
            change.accept(meta);
            List<BucketRows> buckets = new ArrayList<>();
            for (BucketRows bucket : reader.buckets()) {
                buckets.add(bucket.name().equals(META)
                        ? new BucketRows(META, sink -> meta.forEach(sink::row))
                        : bucket);
            }
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            SnapshotWriter.measure(buckets).writeTo(bytes::write);
            database = bytes.toByteArray();
        }
    }

    List<WalEntry> entries() {
        List<WalEntry> entries = new ArrayList<>();
        for (long index = mark + 1; index <= last; index++) {
            entries.add(said.getOrDefault(index, new WalEntry(0, TERM, index, Bytes.EMPTY)));
        }
        return entries;
    }

    /** Lays it out, all of it durable. */
    void write(FaultyDisk disk, DataDirectory directory) {
        write(disk, directory, directory.database(), database);
    }

    /** The same with some other file as the database. */
    void write(FaultyDisk disk, DataDirectory directory, Path file, byte @Nullable [] bytes) {
        disk.createDirectories(directory.snap());
        disk.createDirectories(Disk.parentOf(directory.wal()));
        if (bytes != null) {
            disk.put(file, bytes);
        }
        writeLog(disk, directory, wal -> {
            wal.beginAnew(new WalSnapshot(mark, TERM, deciding.encodeConfState()),
                    new WalState(TERM, 7, mark));
            wal.append(entries(), promised);
        });
    }

    static void writeLog(Disk disk, DataDirectory directory, Consumer<Wal> writing) {
        Bytes metadata = Bytes.of(Metadata.newBuilder().setNodeID(MEMBER).setClusterID(CLUSTER).build().toByteArray());
        try (Wal wal = Wal.create(disk, directory.wal(), metadata, StoreByHand.LIMITS.wal())) {
            writing.accept(wal);
        }
        Wal.leaveToEtcd(disk, directory.wal());
    }

    /** As etcd makes it before anything is applied. */
    static byte[] emptyDatabase() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        SnapshotWriter
                .measure(Stream.of("alarm", "auth", "cluster", "key", "lease", "members", "members_removed", "meta")
                        .map(name -> new BucketRows(Bytes.utf8(name), sink -> {})).toList())
                .writeTo(bytes::write);
        return bytes.toByteArray();
    }
}
