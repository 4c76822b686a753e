package dev.quoin.server.gateway;

import java.util.Arrays;

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

    private final HttpBody body;
    private final boolean isPatient;
    private final int documentBytesMax;
    private final BodyBudget budget;
    private final JsonScanner scanner = new JsonScanner();
    private Bytes piece = Bytes.EMPTY;
    private int pieceAt;
    private byte[] document = {};
    private int documentBytes;
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
        documentBytes = 0;
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
                        return Bytes.of(Arrays.copyOf(document, documentBytes));
                    }
                    case ENDED_BEFORE -> {
                        return Bytes.of(Arrays.copyOf(document, documentBytes));
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
        return Bytes.of(Arrays.copyOf(document, documentBytes));
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
        if (documentBytes == document.length) {
            grow();
        }
        document[documentBytes++] = next;
    }

    private void grow() throws StatusException {
        if (documentBytes >= documentBytesMax) {
            throw new StatusException(Status.Code.RESOURCE_EXHAUSTED,
                    "a JSON document is larger than max (" + documentBytesMax + ")");
        }
        int larger = Math.clamp(2L * document.length, FIRST_BYTES, documentBytesMax);
        int more = larger - document.length;
        if (!budget.take(more)) {
            throw new StatusException(Status.Code.RESOURCE_EXHAUSTED, "too many bytes of requests in work");
        }
        charged += more;
        document = Arrays.copyOf(document, larger);
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
        budget.giveBack(charged);
        charged = 0;
    }
}
