package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;
import dev.quoin.store.ChangeWalk;
import dev.quoin.store.Records;

/** The events of one message, as they stand in it one behind the other. */
public sealed interface WatchEvents {
    WatchEvents NONE = new Whole(List.of(), 0, 0);

    int count();

    long bytes();

    /**
     * Gives the bytes of all events, in order. May wait for the disk.
     *
     * @throws dev.quoin.disk.Damaged if a record is lost
     * @throws dev.quoin.disk.ledger.Gone if a compaction has given one up meanwhile
     */
    void writeTo(Sink sink);

    /** The same events in parts of up to so many bytes; one that is larger is a part by itself. */
    List<WatchEvents> parts(long bytesMax);

    /**
     * Events that are at hand.
     *
     * @param runs each one or more encoded events, which others share
     */
    record Whole(List<Bytes> runs, int count, long bytes) implements WatchEvents {
        @Override
        public void writeTo(Sink sink) {
            for (Bytes run : runs) {
                if (!sink.write(run.array(), run.offset(), run.length())) {
                    return;
                }
            }
        }

        @Override
        public List<WatchEvents> parts(long bytesMax) {
            List<WatchEvents> parts = new ArrayList<>();
            List<Bytes> part = new ArrayList<>();
            long sum = 0;
            for (Bytes event : events()) {
                if (!part.isEmpty() && sum + event.length() > bytesMax) {
                    parts.add(new Whole(part, part.size(), sum));
                    part = new ArrayList<>();
                    sum = 0;
                }
                part.add(event);
                sum += event.length();
            }
            parts.add(new Whole(part, part.size(), sum));
            return parts;
        }

        /** Each encoded event by itself. */
        private List<Bytes> events() {
            List<Bytes> events = new ArrayList<>(count);
            for (Bytes run : runs) {
                ProtoReader reader = new ProtoReader(run);
                int from = 0;
                for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
                    Bytes body = reader.bytes(tag);
                    int end = body.offset() + body.length() - run.offset();
                    events.add(Bytes.of(run.array(), run.offset() + from, end - from));
                    from = end;
                }
            }
            return events;
        }

        /** Each event by itself, for those who do not pass them on. */
        public List<KeyChange> changes() {
            List<KeyChange> changes = new ArrayList<>(count);
            for (Bytes run : runs) {
                ProtoReader reader = new ProtoReader(run);
                for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
                    changes.add(EventCodec.read(reader.bytes(tag)));
                }
            }
            return changes;
        }
    }

    /** Takes bytes; false if it wants no more. */
    @FunctionalInterface
    interface Sink {
        boolean write(byte[] bytes, int offset, int length);
    }

    /** Events that are read and made while they are sent, so that only their places are held. */
    final class Stored implements WatchEvents {
        private final List<ChangeWalk.Found> changes;
        private final int[] payloadLengths;
        private final int[] previousLengths;
        private final Records records;
        private final long bytes;

        Stored(List<ChangeWalk.Found> changes, int[] payloadLengths, int[] previousLengths, Records records) {
            this.changes = changes;
            this.payloadLengths = payloadLengths;
            this.previousLengths = previousLengths;
            this.records = records;
            long sum = 0;
            for (int at = 0; at < changes.size(); at++) {
                sum += length(at);
            }
            bytes = sum;
        }

        private int length(int at) {
            ChangeWalk.Found change = changes.get(at);
            return EventCodec.length(change.isDeletion(), change.main(), payloadLengths[at], previousLengths[at]);
        }

        @Override
        public int count() {
            return changes.size();
        }

        @Override
        public long bytes() {
            return bytes;
        }

        /** Reads them one by one, and holds no KeyValue whole: each may be large, and whoever takes it slow. */
        @Override
        public void writeTo(Sink sink) {
            ProtoWriter head = new ProtoWriter(256);
            for (int at = 0; at < changes.size(); at++) {
                if (!write(at, head, sink)) {
                    return;
                }
            }
        }

        private boolean write(int at, ProtoWriter head, Sink sink) {
            ChangeWalk.Found change = changes.get(at);
            int previousLength = previousLengths[at];
            head.reset();
            if (change.isDeletion()) {
                Bytes key = records.read(change.position());
                Invariant.check(key.length() == payloadLengths[at], "a record has another length");
                EventCodec.write(head, true, change.main(), key, previousLength);
            } else {
                EventCodec.writePutHead(head, payloadLengths[at], previousLength);
                if (!write(head, sink) || !records.read(change.position(), sink::write)) {
                    return false;
                }
                head.reset();
                if (previousLength != EventCodec.NO_PREVIOUS) {
                    EventCodec.writePreviousHead(head, previousLength);
                }
            }
            return write(head, sink)
                    && (previousLength == EventCodec.NO_PREVIOUS || records.read(change.previous(), sink::write));
        }

        private static boolean write(ProtoWriter bytes, Sink sink) {
            return bytes.size() == 0 || sink.write(bytes.buffer(), 0, bytes.size());
        }

        /** All of them in memory. */
        Whole whole() {
            ProtoWriter all = new ProtoWriter(Math.toIntExact(bytes));
            writeTo((array, offset, length) -> {
                all.raw(array, offset, length);
                return true;
            });
            return new Whole(List.of(Bytes.of(all.buffer(), 0, all.size())), changes.size(), bytes);
        }

        @Override
        public List<WatchEvents> parts(long bytesMax) {
            List<WatchEvents> parts = new ArrayList<>();
            int from = 0;
            long sum = 0;
            for (int at = 0; at < changes.size(); at++) {
                int length = length(at);
                if (at > from && sum + length > bytesMax) {
                    parts.add(part(from, at));
                    from = at;
                    sum = 0;
                }
                sum += length;
            }
            parts.add(part(from, changes.size()));
            return parts;
        }

        private Stored part(int from, int to) {
            return new Stored(changes.subList(from, to), Arrays.copyOfRange(payloadLengths, from, to),
                    Arrays.copyOfRange(previousLengths, from, to), records);
        }
    }
}
