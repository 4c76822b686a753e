package dev.quoin.disk.wal;

import java.util.Arrays;

import dev.quoin.base.Bytes;
import dev.quoin.base.Crc32c;
import dev.quoin.base.ProtoWriter;

/**
 * Encodes records into frames, one behind the other in one buffer, and carries the checksum chain along.
 *
 * <p>A record holds the checksum of its data <i>before</i> the data, as a number of 1 to 5 bytes. So the data is written
 * where it belongs if the number takes 5, which it nearly always does, and moved up if it does not: one copy, one pass of
 * the checksum over contiguous bytes.
 */
final class FrameWriter {
    static final int HEADER = 8;
    private static final int TYPE_FIELD = 1 << 3;
    private static final int CRC_FIELD = 2 << 3;
    private static final int DATA_FIELD = 3 << 3 | ProtoWriter.LENGTH_DELIMITED;
    private static final int CRC_SIZE_MAX = 5;

    private byte[] buffer;
    private int size;
    private int crc;

    FrameWriter(int crc) {
        this.crc = crc;
        buffer = new byte[4096];
    }

    byte[] buffer() {
        return buffer;
    }

    int size() {
        return size;
    }

    int crc() {
        return crc;
    }

    /** Forgets what was encoded; the chain goes on. A buffer that one huge record made huge is given back. */
    void reset(int bytesKept) {
        size = 0;
        if (buffer.length > bytesKept) {
            buffer = new byte[bytesKept];
        }
    }

    /** Forgets what was encoded since the chain was here. */
    void rewind(int chain) {
        size = 0;
        crc = chain;
    }

    void entry(WalEntry entry) {
        Bytes data = entry.data();
        int length = 1 + ProtoWriter.varintSize(entry.type()) + 1 + ProtoWriter.varintSize(entry.term()) + 1
                + ProtoWriter.varintSize(entry.index()) + 1 + ProtoWriter.varintSize(data.length()) + data.length();
        int at = dataStart(length);
        at = number(at, 1, entry.type());
        at = number(at, 2, entry.term());
        at = number(at, 3, entry.index());
        bytes(at, 4, data);
        finish(RecordType.ENTRY, length);
    }

    void state(WalState state) {
        int length = 1 + ProtoWriter.varintSize(state.term()) + 1 + ProtoWriter.varintSize(state.vote()) + 1
                + ProtoWriter.varintSize(state.commit());
        int at = dataStart(length);
        at = number(at, 1, state.term());
        at = number(at, 2, state.vote());
        number(at, 3, state.commit());
        finish(RecordType.STATE, length);
    }

    /** The configuration is left out of the mark at index 0 alone: etcd insists on it everywhere else. */
    void snapshot(WalSnapshot snapshot) {
        Bytes confState = snapshot.confState();
        boolean hasConfState = snapshot.index() != 0;
        int length = 1 + ProtoWriter.varintSize(snapshot.index()) + 1 + ProtoWriter.varintSize(snapshot.term())
                + (hasConfState ? 1 + ProtoWriter.varintSize(confState.length()) + confState.length() : 0);
        int at = dataStart(length);
        at = number(at, 1, snapshot.index());
        at = number(at, 2, snapshot.term());
        if (hasConfState) {
            bytes(at, 3, confState);
        }
        finish(RecordType.SNAPSHOT, length);
    }

    void metadata(Bytes metadata) {
        int at = dataStart(metadata.length());
        metadata.copyTo(buffer, at);
        finish(RecordType.METADATA, metadata.length());
    }

    /** The record a segment begins with: the chain so far. It adds nothing to it. */
    void crcRecord() {
        reserve(HEADER + 3 + CRC_SIZE_MAX + 7);
        int at = size + HEADER;
        buffer[at++] = TYPE_FIELD;
        buffer[at++] = RecordType.CRC;
        buffer[at++] = CRC_FIELD;
        at = varint(at, Integer.toUnsignedLong(crc));
        frame(at);
    }

    private int dataStart(int length) {
        int most = Math.addExact(length, HEADER + 3 + CRC_SIZE_MAX + 1 + 5 + 7);
        reserve(most);
        return size + HEADER + 3 + CRC_SIZE_MAX + 1 + ProtoWriter.varintSize(length);
    }

    private void finish(int type, int length) {
        int data = dataStart(length);
        crc = Crc32c.update(crc, buffer, data, length);
        int at = size + HEADER;
        buffer[at++] = TYPE_FIELD;
        buffer[at++] = (byte) type;
        buffer[at++] = CRC_FIELD;
        at = varint(at, Integer.toUnsignedLong(crc));
        buffer[at++] = DATA_FIELD;
        at = varint(at, length);
        if (at != data) {
            System.arraycopy(buffer, data, buffer, at, length);
        }
        frame(at + length);
    }

    /** The record lies from behind the header to {@code end}: pads it and writes the header. */
    private void frame(int end) {
        int length = end - size - HEADER;
        int padding = -length & 7;
        Arrays.fill(buffer, end, end + padding, (byte) 0);
        for (int i = 0; i < 7; i++) {
            buffer[size + i] = (byte) ((long) length >>> (8 * i));
        }
        buffer[size + 7] = (byte) (padding == 0 ? 0 : 0x80 | padding);
        size = end + padding;
    }

    private int number(int at, int field, long value) {
        buffer[at] = (byte) (field << 3);
        return varint(at + 1, value);
    }

    private void bytes(int at, int field, Bytes bytes) {
        buffer[at] = (byte) (field << 3 | ProtoWriter.LENGTH_DELIMITED);
        bytes.copyTo(buffer, varint(at + 1, bytes.length()));
    }

    private int varint(int position, long value) {
        int at = position;
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            buffer[at++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        buffer[at++] = (byte) rest;
        return at;
    }

    private void reserve(int more) {
        if (buffer.length - size < more) {
            int wanted = Math.addExact(size, more);
            buffer = Arrays.copyOf(buffer, Math.max(wanted, (int) Math.min(2L * buffer.length, 1 << 30)));
        }
    }
}
