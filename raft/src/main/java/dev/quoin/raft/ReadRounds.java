package dev.quoin.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * Reads that wait for proof that this node still led when they came (Raft §6.4). Each has a number, rising by one; a
 * heartbeat carries the newest, and a quorum that has echoed a number has confirmed all reads up to it. In etcd 3.7 the
 * number is 8 bytes, the lowest first.
 */
final class ReadRounds {
    /** @param from who asked, 0 for this node */
    record Read(long from, Bytes context, long index) {}

    private final Deque<Read> unconfirmed = new ArrayDeque<>();
    private final Deque<Read> postponed = new ArrayDeque<>();
    private long confirmedNumber;

    /** Until an entry of the leader's own term is committed: before, it does not know how far the log is. */
    void postpone(long from, Bytes context) {
        postponed.add(new Read(from, context, 0));
    }

    List<Read> takePostponed() {
        if (postponed.isEmpty()) {
            return List.of();
        }
        List<Read> taken = new ArrayList<>(postponed);
        postponed.clear();
        return taken;
    }

    int size() {
        return unconfirmed.size() + postponed.size();
    }

    void begin(Read read) {
        unconfirmed.add(read);
    }

    /** The number of the newest read. */
    long newest() {
        return confirmedNumber + unconfirmed.size();
    }

    /** What a heartbeat carries: nothing if no read waits. */
    Bytes context() {
        return unconfirmed.isEmpty() ? Bytes.EMPTY : littleEndian(newest());
    }

    /** Whether an echo can be one of a heartbeat of this term. */
    boolean isKnown(Bytes context) {
        return context.isEmpty()
                || (context.length() == Long.BYTES && number(context) >= 0 && number(context) <= newest());
    }

    List<Read> takeConfirmed(long number) {
        List<Read> taken = new ArrayList<>();
        while (confirmedNumber < number && !unconfirmed.isEmpty()) {
            taken.add(unconfirmed.remove());
            confirmedNumber++;
        }
        return taken;
    }

    List<Bytes> own() {
        List<Bytes> own = new ArrayList<>();
        for (Deque<Read> reads : List.of(unconfirmed, postponed)) {
            reads.stream().filter(read -> read.from() == 0).forEach(read -> own.add(read.context()));
        }
        return own;
    }

    static long number(Bytes context) {
        long number = 0;
        for (int i = Long.BYTES - 1; i >= 0; i--) {
            number = (number << 8) | (context.at(i) & 0xff);
        }
        return number;
    }

    private static Bytes littleEndian(long number) {
        byte[] bytes = new byte[Long.BYTES];
        for (int i = 0; i < Long.BYTES; i++) {
            bytes[i] = (byte) (number >>> (8 * i));
        }
        return Bytes.of(bytes);
    }

    /** The context of this node's own reads, as etcd's members make theirs: the id, the highest byte first. */
    static Bytes contextOf(long readId) {
        byte[] bytes = new byte[Long.BYTES];
        for (int i = 0; i < Long.BYTES; i++) {
            bytes[i] = (byte) (readId >>> (8 * (Long.BYTES - 1 - i)));
        }
        return Bytes.of(bytes);
    }

    /** The id of a read of this node; null if the context is of another making. */
    static @Nullable Long readIdOf(Bytes context) {
        if (context.length() != Long.BYTES) {
            return null;
        }
        long id = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            id = (id << 8) | (context.at(i) & 0xff);
        }
        return id;
    }
}
