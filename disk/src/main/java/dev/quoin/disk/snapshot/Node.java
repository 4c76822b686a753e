package dev.quoin.disk.snapshot;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;

/**
 * A page of a tree as it was read, and a place in it. Every element is checked when it is reached: that it lies behind the
 * one before, inside the page, and that its key is in order and in the range which the branch above allows.
 */
final class Node {
    private final Path file;
    /** Where in the file {@link #bytes} begin. */
    private final long fileOffset;
    private final byte[] bytes;
    private final int start;
    private final int end;
    private final boolean isLeaf;
    private final int count;
    /** Not below it, if there is one. */
    private final @Nullable Bytes from;
    /** Below it, if there is one. */
    private final @Nullable Bytes to;

    private int index = -1;
    private int dataEnd;
    private @Nullable Bytes key;

    /** The page is [start, end) of {@code bytes}, at least a head. */
    Node(Path file, long fileOffset, byte[] bytes, int start, int end, @Nullable Bytes from, @Nullable Bytes to) {
        this.file = file;
        this.fileOffset = fileOffset;
        this.bytes = bytes;
        this.start = start;
        this.end = end;
        this.from = from;
        this.to = to;
        int flags = Format.shortAt(bytes, start + 8);
        require(flags == Format.LEAF || flags == Format.BRANCH, start, "it is no page of a tree");
        isLeaf = flags == Format.LEAF;
        count = Format.shortAt(bytes, start + 10);
        long tableEnd = start + Format.PAGE_HEAD + (long) count * Format.ELEMENT;
        require(count <= Format.COUNT_MAX && tableEnd <= end, start,
                "the page has room for fewer elements than it counts");
        dataEnd = (int) tableEnd;
    }

    boolean isLeaf() {
        return isLeaf;
    }

    int count() {
        return count;
    }

    int bytesHeld() {
        return bytes.length;
    }

    /** Goes to the next element, if there is one. */
    boolean next() {
        if (index == count - 1) {
            return false;
        }
        index++;
        int at = element();
        long place = Format.uintAt(bytes, isLeaf ? at + 4 : at);
        long keyLength = Format.uintAt(bytes, isLeaf ? at + 8 : at + 4);
        long valueLength = isLeaf ? Format.uintAt(bytes, at + 12) : 0;
        // bbolt has never left a gap. To insist on it finds lengths that changed, and values that lie in each other.
        require(at + place == dataEnd, at, "a key does not follow what is before it");
        require(keyLength > 0 && keyLength <= Format.KEY_BYTES_MAX, at, "a key cannot have this length");
        require(keyLength + valueLength <= end - dataEnd, at, "an element reaches beyond its page");
        Bytes found = Bytes.of(bytes, dataEnd, (int) keyLength);
        require((key == null || key.compareTo(found) < 0) && (from == null || from.compareTo(found) <= 0)
                && (to == null || found.compareTo(to) < 0), at, "a key is out of order");
        key = found;
        dataEnd += (int) (keyLength + valueLength);
        return true;
    }

    Bytes key() {
        if (key == null) {
            throw damaged(start, "the page is empty");
        }
        return key;
    }

    boolean isBucket() {
        long flags = Format.uintAt(bytes, element());
        require(flags == 0 || flags == Format.BUCKET_FLAG, element(), "an element is neither a row nor a bucket");
        return flags == Format.BUCKET_FLAG;
    }

    Bytes value() {
        int length = (int) Format.uintAt(bytes, element() + 12);
        return Bytes.of(bytes, dataEnd - length, length);
    }

    long child() {
        return Format.longAt(bytes, element() + 8);
    }

    /** Where in the file the element is. */
    long elementOffset() {
        return fileOffset + element();
    }

    /** Where in the file the value is. */
    long valueOffset() {
        return fileOffset + dataEnd - value().length();
    }

    private int element() {
        return start + Format.PAGE_HEAD + index * Format.ELEMENT;
    }

    private void require(boolean holds, int at, String otherwise) {
        if (!holds) {
            throw damaged(at, otherwise);
        }
    }

    private Damaged damaged(int at, String what) {
        return new Damaged(file, fileOffset + at, what);
    }
}
