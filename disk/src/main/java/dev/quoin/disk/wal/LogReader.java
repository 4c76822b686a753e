package dev.quoin.disk.wal;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;

/**
 * Reads a row of segments as one log, and says where it ends. Everything that is not as it must be ends in {@link Damaged},
 * except what can only be the torn end of a write nobody was promised.
 */
final class LogReader {
    /** What a reader of the log gets to see, in order. Data is valid during the call only. */
    interface Sink {
        void entry(WalEntry entry) throws BadRecord;

        void state(WalState state);

        void snapshot(WalSnapshot snapshot) throws BadRecord;
    }

    /** Where the last segment ends, and the checksum there; {@code torn} says what was behind it, if anything was. */
    record End(long offset, int crc, Bytes metadata, @Nullable BadRecord torn) {}

    private final Disk disk;
    private final Path directory;
    private final List<SegmentName> segments;
    /** The last segment, which its owner has opened and locked. */
    private final DiskFile tail;
    private final @Nullable SyncedMark mark;

    private SegmentName segment;
    private SegmentReader reader;
    private @Nullable Bytes metadata;
    private long lastIndex;

    LogReader(Disk disk, Path directory, List<SegmentName> segments, DiskFile tail, @Nullable SyncedMark mark) {
        this.disk = disk;
        this.directory = directory;
        this.segments = segments;
        this.tail = tail;
        this.mark = mark;
        segment = segments.getFirst();
        reader = new SegmentReader(tail, 0, 0, false);
    }

    /** Where the record that is being read starts, for a sink that refuses it. */
    BadRecord refused(String what) {
        return new BadRecord(reader.offset(), BadRecord.NOT_TORN, what);
    }

    /**
     * Reads from segment number {@code first} of the list to {@code tailSize} bytes of the last one.
     *
     * @throws Damaged if the log is not whole
     */
    End read(int first, long tailSize, Sink sink) {
        metadata = null;
        lastIndex = 0;
        int crc = 0;
        for (int i = first; i < segments.size() - 1; i++) {
            segment = segments.get(i);
            try (DiskFile file = disk.open(directory.resolve(segment.toString()))) {
                reader = new SegmentReader(file, file.size(), crc, i > first);
                readSegment(sink);
                if (!reader.isZeroFrom(reader.end())) {
                    // The zero was a length, at the end of its sector; a segment with a successor ends with its file.
                    throw new BadRecord(reader.end(), BadRecord.NOT_TORN, "a zero length with data behind it");
                }
                crc = reader.crc();
            } catch (BadRecord bad) {
                throw damaged(bad);
            }
        }
        segment = segments.getLast();
        reader = new SegmentReader(tail, tailSize, crc, first < segments.size() - 1);
        BadRecord torn = null;
        try {
            readSegment(sink);
            if (mark != null && mark.synced().compareTo(place(reader.end())) > 0) {
                throw refused("the log was confirmed up to byte " + mark.synced().offset());
            }
        } catch (BadRecord bad) {
            if (!mayBeCut(bad)) {
                throw damaged(bad);
            }
            torn = bad;
        }
        return new End(reader.end(), reader.crc(), metadata == null ? Bytes.EMPTY : metadata, torn);
    }

    boolean isZeroFrom(long offset) {
        return reader.isZeroFrom(offset);
    }

    private SyncedMark.Place place(long offset) {
        return new SyncedMark.Place(segment.number(), offset);
    }

    /** Behind the mark, and looking like a write that was cut short. The head of a segment is synced before it has a name. */
    private boolean mayBeCut(BadRecord bad) {
        if (metadata == null || reader.end() != bad.offset) {
            return false;
        }
        boolean confirmed = mark != null && place(bad.offset).compareTo(mark.synced()) < 0;
        return !confirmed && reader.looksTorn(bad, mark != null && place(bad.offset).compareTo(mark.ours()) >= 0);
    }

    private void readSegment(Sink sink) throws BadRecord {
        int records = 0;
        while (reader.next()) {
            records++;
            boolean strict = mark != null && place(reader.offset()).compareTo(mark.ours()) >= 0;
            try {
                record(records, strict, sink);
            } catch (Malformed e) {
                throw refused(String.valueOf(e.getMessage()));
            }
        }
        if (records < 2) {
            throw refused("a segment without its head");
        }
    }

    private void record(int number, boolean strict, Sink sink) throws BadRecord {
        int type = reader.type();
        boolean isHead = type == RecordType.CRC || type == RecordType.METADATA;
        boolean fits = number <= 2 ? type == (number == 1 ? RecordType.CRC : RecordType.METADATA) : !isHead;
        if (!fits) {
            throw refused("record " + number + " of the segment has type " + type);
        }
        Bytes data = reader.data();
        switch (type) {
            case RecordType.CRC -> {}
            case RecordType.METADATA -> {
                Bytes before = metadata;
                if (before != null && !before.equals(data)) {
                    throw refused("it belongs to another member or cluster than the segments before it");
                }
                metadata = Bytes.of(data.toByteArray());
            }
            case RecordType.ENTRY -> {
                WalEntry entry = Records.entry(data, strict);
                sink.entry(entry);
                lastIndex = entry.index();
            }
            case RecordType.STATE -> sink.state(Records.state(data, strict));
            default -> {
                WalSnapshot snapshot = Records.snapshot(data, strict);
                sink.snapshot(snapshot);
                lastIndex = Math.max(lastIndex, snapshot.index());
            }
        }
    }

    private Damaged damaged(BadRecord bad) {
        return new Damaged(directory.resolve(segment.toString()), bad.offset, String.format(Locale.ROOT,
                "entries from index %,d cannot be trusted (%s).%n"
                        + Damaged.REMEDY,
                Math.max(lastIndex + 1, segment.index()), bad.what()));
    }
}
