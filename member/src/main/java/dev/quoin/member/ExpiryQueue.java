package dev.quoin.member;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

/**
 * Leases by when they are to be looked at, the earliest first, and by id where that is the same moment: a heap that knows
 * the place of each, so that one can be taken out or moved. A lease is in one queue at most.
 */
final class ExpiryQueue {
    private static final int FIRST_CAPACITY = 64;

    private HeldLease[] heap = new HeldLease[FIRST_CAPACITY];
    private int size;

    int size() {
        return size;
    }

    boolean contains(HeldLease lease) {
        return lease.place < size && heap[lease.place] == lease;
    }

    /** The earliest; null if there is none. */
    @Nullable
    HeldLease first() {
        return size == 0 ? null : heap[0];
    }

    /** Puts a lease in, or moves it. */
    void put(HeldLease lease, long dueNanos) {
        if (contains(lease)) {
            lease.dueNanos = dueNanos;
            settle(lease);
            return;
        }
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        lease.dueNanos = dueNanos;
        place(lease, size++);
        rise(lease);
    }

    /** Takes a lease out, if it is in. */
    void remove(HeldLease lease) {
        if (!contains(lease)) {
            return;
        }
        HeldLease last = heap[--size];
        if (last != lease) {
            place(last, lease.place);
            settle(last);
        }
        Arrays.fill(heap, size, size + 1, null);
    }

    private void settle(HeldLease lease) {
        rise(lease);
        sink(lease);
    }

    private void rise(HeldLease lease) {
        while (lease.place > 0) {
            HeldLease parent = heap[(lease.place - 1) / 2];
            if (!isEarlier(lease, parent)) {
                return;
            }
            swap(lease, parent);
        }
    }

    private void sink(HeldLease lease) {
        while (2 * lease.place + 1 < size) {
            HeldLease child = heap[2 * lease.place + 1];
            if (child.place + 1 < size && isEarlier(heap[child.place + 1], child)) {
                child = heap[child.place + 1];
            }
            if (!isEarlier(child, lease)) {
                return;
            }
            swap(child, lease);
        }
    }

    private void swap(HeldLease a, HeldLease b) {
        int place = a.place;
        place(a, b.place);
        place(b, place);
    }

    private void place(HeldLease lease, int at) {
        heap[at] = lease;
        lease.place = at;
    }

    private static boolean isEarlier(HeldLease a, HeldLease b) {
        return a.dueNanos != b.dueNanos ? a.dueNanos < b.dueNanos : a.id < b.id;
    }
}
