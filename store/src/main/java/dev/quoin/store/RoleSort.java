package dev.quoin.store;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The order in which etcd keeps a role's permissions once one more has been put at the end of them: by first key, and
 * permissions of the same key as the sort of Go's library happens to leave them.
 *
 * <p>That matters, since a permission only replaces the first of its key ({@link Role#grant}): members that order them
 * differently would, sooner or later, allow different things. Go sorts by a pattern-defeating quicksort (Orson Peters,
 * arXiv:2106.05123), which is the same in every run and since Go 1.19, but does not keep equal elements in order. Of what
 * it does, only what can happen is here. Sorted permissions with one more behind them have an ascending median, so Go
 * first looks whether they are sorted, and if they are 50 or more moves the last one to its place, as an insertion does;
 * up to 12 are sorted by insertion anyway. Between 13 and 49 they are partitioned, as below. The heap sort that Go turns
 * to after too many bad partitions is out of reach for so few.
 */
final class RoleSort {
    private static final int INSERTION_MAX = 12;
    private static final int PARTITION_MAX = 49;

    private final List<Permission> data;
    /** What the last partition was like. */
    private boolean wasBalanced = true;
    private boolean wasPartitioned = true;

    private RoleSort(List<Permission> data) {
        this.data = data;
    }

    /** Brings {@code permissions}, all but the last of which are in order, into order. */
    static void sortIn(List<Permission> permissions) {
        if (permissions.size() > PARTITION_MAX) {
            new RoleSort(permissions).insert(0, permissions.size());
        } else {
            new RoleSort(permissions).sort(0, permissions.size());
        }
    }

    private boolean less(int i, int j) {
        return data.get(i).range().key().compareTo(data.get(j).range().key()) < 0;
    }

    private void swap(int i, int j) {
        Collections.swap(data, i, j);
    }

    private void insert(int from, int to) {
        for (int i = from + 1; i < to; i++) {
            for (int j = i; j > from && less(j, j - 1); j--) {
                swap(j, j - 1);
            }
        }
    }

    private void sort(int first, int end) {
        int from = first;
        int to = end;
        while (to - from > INSERTION_MAX) {
            if (!wasBalanced) {
                breakPatterns(from, to);
            }
            int length = to - from;
            int[] candidates = {from + length / 4, from + length / 4 * 2, from + length / 4 * 3};
            boolean ascending = medianToTheMiddle(candidates);
            int pivot = candidates[1];
            if (wasBalanced && wasPartitioned && ascending && isSorted(from, to)) {
                return;
            }
            if (from > 0 && !less(from - 1, pivot)) {
                from = passEqual(from, to, pivot);
                continue;
            }
            int middle = partition(from, to, pivot);
            int left = middle - from;
            int right = to - middle;
            wasBalanced = Math.min(left, right) >= length / 8;
            if (left < right) {
                new RoleSort(data).sort(from, middle);
                from = middle + 1;
            } else {
                new RoleSort(data).sort(middle + 1, to);
                to = middle;
            }
        }
        insert(from, to);
    }

    /** Says whether nothing was to be changed. */
    private boolean medianToTheMiddle(int[] three) {
        int[] before = three.clone();
        order(three, 0, 1);
        order(three, 1, 2);
        order(three, 0, 1);
        return Arrays.equals(before, three);
    }

    private void order(int[] three, int a, int b) {
        if (less(three[b], three[a])) {
            int smaller = three[b];
            three[b] = three[a];
            three[a] = smaller;
        }
    }

    private boolean isSorted(int from, int to) {
        for (int i = from + 1; i < to; i++) {
            if (less(i, i - 1)) {
                return false;
            }
        }
        return true;
    }

    /** Puts what is less than the pivot before it and all else behind it, and says where the pivot is then. */
    private int partition(int from, int to, int pivot) {
        swap(from, pivot);
        int i = from + 1;
        int j = to - 1;
        wasPartitioned = true;
        while (true) {
            while (i <= j && less(i, from)) {
                i++;
            }
            while (i <= j && !less(j, from)) {
                j--;
            }
            if (i > j) {
                swap(j, from);
                return j;
            }
            swap(i, j);
            i++;
            j--;
            wasPartitioned = false;
        }
    }

    /** Where nothing is less than the pivot: puts what equals it first, and says where the rest begins. */
    private int passEqual(int from, int to, int pivot) {
        swap(from, pivot);
        int i = from + 1;
        int j = to - 1;
        while (true) {
            while (i <= j && !less(from, i)) {
                i++;
            }
            while (i <= j && less(from, j)) {
                j--;
            }
            if (i > j) {
                return i;
            }
            swap(i, j);
            i++;
            j--;
        }
    }

    /** Swaps three around the middle with others that follow from the length alone, by Marsaglia's xorshift. */
    private void breakPatterns(int from, int to) {
        int length = to - from;
        long random = length;
        int mask = Integer.highestOneBit(length) * 2 - 1;
        int middle = from + length / 4 * 2;
        for (int i = middle - 1; i <= middle + 1; i++) {
            random ^= random << 13;
            random ^= random >>> 7;
            random ^= random << 17;
            int other = (int) random & mask;
            swap(i, from + (other >= length ? other - length : other));
        }
    }
}
