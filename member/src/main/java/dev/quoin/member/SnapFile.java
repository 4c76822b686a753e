package dev.quoin.member;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;

import dev.quoin.api.raftpb.ConfState;
import dev.quoin.api.raftpb.Snapshot;
import dev.quoin.api.raftpb.SnapshotMetadata;
import dev.quoin.api.snappb.snapshot;
import dev.quoin.base.Bytes;
import dev.quoin.base.Crc32c;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;
import dev.quoin.raft.SnapshotMeta;

/**
 * Etcd's file {@code TERM-INDEX.snap} (api/snap/snapshotter.go): a checksum, a place in the log with who decides there, and
 * the first store as it was there ({@link OldStore}). One thread at a time.
 */
final class SnapFile {
    /** More than its first store, which is read whole, can have had: twice what etcd takes as one message between members. */
    private static final int LENGTH_MAX = 1 << 30;

    private SnapFile() {}

    /** Where that of a place in the log lies. */
    static Path in(Path snap, long term, long index) {
        HexFormat hex = HexFormat.of();
        return snap.resolve(hex.toHexDigits(term) + "-" + hex.toHexDigits(index) + ".snap");
    }

    /** Makes one, durable but for its name. */
    static void write(Disk disk, Path snap, SnapshotMeta meta, Bytes oldStore) {
        ConfState.Builder deciding = ConfState.newBuilder().addAllVoters(meta.configuration().voters())
                .addAllLearners(meta.configuration().learners()).setAutoLeave(false);
        byte[] data = Snapshot.newBuilder().setData(ByteString.copyFrom(oldStore.toByteArray()))
                .setMetadata(SnapshotMetadata.newBuilder().setConfState(deciding).setIndex(meta.index())
                        .setTerm(meta.term()))
                .build().toByteArray();
        byte[] whole = snapshot.newBuilder().setCrc(Crc32c.of(data, 0, data.length)).setData(ByteString.copyFrom(data))
                .build().toByteArray();
        try (DiskFile file = disk.create(in(snap, meta.term(), meta.index()))) {
            file.writeFully(0, whole, 0, whole.length);
            file.sync();
        }
    }

    /**
     * The first store in one; empty in one of etcd 3.7, which has none.
     *
     * @throws Damaged if the file is not what it should be
     */
    static Bytes oldStore(Disk disk, Path path) {
        try (DiskFile file = disk.openToRead(path)) {
            if (file.size() > LENGTH_MAX) {
                throw new Damaged(path, 0, "a .snap file of " + file.size() + " bytes");
            }
            byte[] bytes = new byte[(int) file.size()];
            file.readFully(0, ByteBuffer.wrap(bytes));
            snapshot whole = snapshot.parseFrom(bytes);
            byte[] data = whole.getData().toByteArray();
            if (whole.getCrc() != Crc32c.of(data, 0, data.length)) {
                throw new Damaged(path, 0, "its checksum does not match");
            }
            return Bytes.of(Snapshot.parseFrom(data).getData().toByteArray());
        } catch (InvalidProtocolBufferException notOne) {
            throw new Damaged(path, 0, "it does not parse: " + notOne.getMessage());
        }
    }
}
