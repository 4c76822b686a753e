package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import dev.quoin.disk.Disk;

/**
 * What lies in the ledger's directory, sorted out: what counts, and what a crash left behind and may be deleted. A packed
 * file counts before everything in its range.
 */
final class Inventory {
    private final List<Integer> segments = new ArrayList<>();
    private final List<FileName.Packed> packed = new ArrayList<>();
    private final List<Integer> prefixes = new ArrayList<>();
    private final List<String> leftovers = new ArrayList<>();
    private boolean checkpoint;

    static Inventory of(Disk disk, Path directory) {
        Inventory inventory = new Inventory();
        for (String name : disk.list(directory)) {
            switch (FileName.of(name)) {
                case FileName.Segment(int number) -> inventory.segments.add(number);
                case FileName.Packed file -> inventory.packed.add(file);
                case FileName.Checkpoint() -> inventory.checkpoint = true;
                case FileName.Prefix(int number) -> inventory.prefixes.add(number);
                case FileName.Unfinished() -> inventory.leftovers.add(name);
                case FileName.Other() -> {}
            }
        }
        inventory.sort();
        return inventory;
    }

    private void sort() {
        for (FileName.Packed file : List.copyOf(packed)) {
            if (packed.stream().anyMatch(other -> !other.equals(file) && other.covers(file.first(), file.last()))) {
                packed.remove(file);
                leftovers.add(FileName.packed(file.first(), file.last()));
            }
        }
        for (int segment : List.copyOf(segments)) {
            if (packed.stream().anyMatch(file -> file.covers(segment, segment))) {
                segments.remove(Integer.valueOf(segment));
                leftovers.add(FileName.segment(segment));
            }
        }
    }

    /** Numbers of the segments that are there as they were appended, ascending. */
    List<Integer> segments() {
        return segments;
    }

    /** Ascending and apart. */
    List<FileName.Packed> packed() {
        return packed;
    }

    /** Segments that were being set aside when power went. */
    List<Integer> prefixes() {
        return prefixes;
    }

    boolean hasCheckpoint() {
        return checkpoint;
    }

    /** Names of files that nobody needs. */
    List<String> leftovers() {
        return leftovers;
    }
}
