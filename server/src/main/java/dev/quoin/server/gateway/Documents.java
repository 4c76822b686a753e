package dev.quoin.server.gateway;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpBody;
import dev.quoin.net.HttpBodyLost;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

/**
 * The JSON documents of a body, one after the other, each as soon as its last byte is there. What is held of it is one document
 * and what came along with its end, and is taken from a budget until this is closed. Used by one thread.
 */
final class Documents implements AutoCloseable {
    private static final int FIRST_BYTES = 512;
    /** A document is kept in parts of this size: one that is refused in the end has not been copied over and over. */
    private static final int PART_BYTES = 65_536;

    private final HttpBody body;
    private final boolean isPatient;
    private final int documentBytesMax;
    private final BodyBudget budget;
    private final JsonScanner scanner = new JsonScanner();
    private Bytes piece = Bytes.EMPTY;
    private int pieceAt;
    private final List<byte[]> whole = new ArrayList<>(); // parts of the document before this one, all full
    private byte[] part = {};
    private int partBytes;
    private long charged;

    /** @param isPatient whether the client may be silent for any time: it says now and then what it wants */
    Documents(HttpBody body, boolean isPatient, int documentBytesMax, BodyBudget budget) {
        this.body = body;
        this.isPatient = isPatient;
        this.documentBytesMax = documentBytesMax;
        this.budget = budget;
    }

    /**
     * The next document, without white space around it, or null if the body is over.
     *
     * @throws StatusException if it is no JSON or too much of it, or if the body broke off
     */
    @Nullable
    Bytes next() throws StatusException, InterruptedException {
        scanner.reset();
        giveBack(charged - part.length); // what the document before was made of
        while (more()) {
            while (pieceAt < piece.length()) {
                byte next = piece.at(pieceAt);
                switch (step(next)) {
                    case NOTHING -> pieceAt++;
                    case MORE -> {
                        pieceAt++;
                        keep(next);
                    }
                    case END -> {
                        pieceAt++;
                        keep(next);
                        return document();
                    }
                    case ENDED_BEFORE -> {
                        return document();
                    }
                }
            }
        }
        if (!scanner.isInside()) {
            return null;
        }
        if (!scanner.endsHere()) {
            throw invalid("unexpected EOF");
        }
        return document();
    }

    /** What was kept, in one; the next document may use the last part again. */
    private Bytes document() {
        byte[] document = new byte[whole.size() * PART_BYTES + partBytes];
        int at = 0;
        for (byte[] full : whole) {
            System.arraycopy(full, 0, document, at, PART_BYTES);
            at += PART_BYTES;
        }
        System.arraycopy(part, 0, document, at, partBytes);
        whole.clear();
        partBytes = 0;
        return Bytes.of(document);
    }

    private JsonScanner.Found step(byte next) throws StatusException {
        try {
            return scanner.step(next);
        } catch (JsonScanner.Malformed malformed) {
            throw invalid(String.valueOf(malformed.getMessage()));
        }
    }

    /** Waits until there is a byte to look at; false at the end of the body. */
    private boolean more() throws StatusException, InterruptedException {
        if (pieceAt < piece.length()) {
            return true;
        }
        try {
            Bytes next = isPatient ? body.awaitNext() : body.next();
            piece = next == null ? Bytes.EMPTY : next;
            pieceAt = 0;
            return next != null;
        } catch (HttpBodyLost lost) {
            throw invalid(String.valueOf(lost.getMessage()));
        }
    }

    private void keep(byte next) throws StatusException {
        if (partBytes == part.length) {
            grow();
        }
        part[partBytes++] = next;
    }

    /** Makes place for a byte, the part being full: within the part at first, so that a short document costs little. */
    private void grow() throws StatusException {
        int left = documentBytesMax - whole.size() * PART_BYTES - part.length;
        if (left <= 0) {
            throw tooLarge(documentBytesMax);
        }
        if (part.length == PART_BYTES) {
            whole.add(part);
            part = new byte[take(Math.min(PART_BYTES, left))];
            partBytes = 0;
        } else {
            int more = Math.clamp(part.length, FIRST_BYTES, PART_BYTES - part.length);
            part = Arrays.copyOf(part, part.length + take(Math.min(more, left)));
        }
    }

    private int take(int bytes) throws StatusException {
        if (!budget.take(bytes)) {
            throw new StatusException(Status.Code.RESOURCE_EXHAUSTED, "too many bytes of requests in work");
        }
        charged += bytes;
        return bytes;
    }

    private void giveBack(long bytes) {
        budget.giveBack(bytes);
        charged -= bytes;
    }

    static StatusException tooLarge(int documentBytesMax) {
        return new StatusException(Status.Code.RESOURCE_EXHAUSTED,
                "a JSON document is larger than max (" + documentBytesMax + ")");
    }

    /** Reads the rest of the body and forgets it. */
    void skipRest() throws StatusException, InterruptedException {
        pieceAt = piece.length();
        while (more()) {
            pieceAt = piece.length();
        }
    }

    private static StatusException invalid(String message) {
        return new StatusException(Status.Code.INVALID_ARGUMENT, message);
    }

    /** Gives back what was taken from the budget. */
    @Override
    public void close() {
        giveBack(charged);
    }
}
