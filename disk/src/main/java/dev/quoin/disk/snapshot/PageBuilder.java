package dev.quoin.disk.snapshot;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/** A node in the making: its elements, and how long it will be. */
final class PageBuilder {
    /**
     * What a node has of a row or a child.
     *
     * @param value null if only its length matters; empty in a branch
     */
    record Element(Bytes key, int flags, long child, int valueLength, @Nullable Bytes value) {
        static Element row(Bytes key, int flags, int valueLength, @Nullable Bytes value) {
            return new Element(key, flags, 0, valueLength, value);
        }

        static Element child(Bytes firstKey, long page) {
            return new Element(firstKey, 0, page, 0, Bytes.EMPTY);
        }

        long bytes() {
            return (long) Format.ELEMENT + key.length() + valueLength;
        }
    }

    private final boolean isLeaf;
    private final List<Element> elements = new ArrayList<>();
    private long bytes = Format.PAGE_HEAD;

    PageBuilder(boolean isLeaf) {
        this.isLeaf = isLeaf;
    }

    boolean isLeaf() {
        return isLeaf;
    }

    int count() {
        return elements.size();
    }

    /** Without padding. */
    long bytes() {
        return bytes;
    }

    Bytes firstKey() {
        return elements.getFirst().key();
    }

    void add(Element element) {
        elements.add(element);
        bytes += element.bytes();
    }

    Element removeLast() {
        Element last = elements.removeLast();
        bytes -= last.bytes();
        return last;
    }

    void clear() {
        elements.clear();
        bytes = Format.PAGE_HEAD;
    }

    /** Without padding, under a number and with so many further pages. */
    void writeTo(SnapshotWriter.Output output, long id, int overflow) {
        Invariant.check(elements.size() <= Format.COUNT_MAX, "%d elements in a page", elements.size());
        byte[] head = new byte[Format.PAGE_HEAD + Format.ELEMENT * elements.size()];
        Format.putPageHead(head, id, isLeaf ? Format.LEAF : Format.BRANCH, elements.size(), overflow);
        long data = head.length;
        int at = Format.PAGE_HEAD;
        for (Element element : elements) {
            putElement(head, at, element, (int) (data - at));
            data += element.bytes() - Format.ELEMENT;
            at += Format.ELEMENT;
        }
        output.write(head, 0, head.length);
        for (Element element : elements) {
            write(output, element.key());
            Bytes value = element.value();
            if (value == null) {
                throw Invariant.violation("a page was counted only, and is to be written");
            }
            write(output, value);
        }
    }

    private void putElement(byte[] head, int at, Element element, int place) {
        if (isLeaf) {
            Format.putInt(head, at, element.flags());
            Format.putInt(head, at + 4, place);
            Format.putInt(head, at + 8, element.key().length());
            Format.putInt(head, at + 12, element.valueLength());
        } else {
            Format.putInt(head, at, place);
            Format.putInt(head, at + 4, element.key().length());
            Format.putLong(head, at + 8, element.child());
        }
    }

    private static void write(SnapshotWriter.Output output, Bytes bytes) {
        output.write(bytes.array(), bytes.offset(), bytes.length());
    }
}
