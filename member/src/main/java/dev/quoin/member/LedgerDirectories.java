package dev.quoin.member;

import java.nio.file.Path;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Disk;

/**
 * Which of a member's ledgers is the one in force.
 *
 * <p>A member begins with the ledger {@code ledger}. The state that a leader sends when this member lags behind is made
 * into a ledger of its own beside it, {@code ledger-N} for the state at index N, so that the one in force goes on until
 * the other one takes its place in one step. That step is the log's, which begins anew behind N. In this order, each
 * durable before the next:
 *
 * <ol>
 * <li>{@code ledger-N} holds everything up to N;
 * <li>the empty file {@code installed} is in it ({@link #markInstalled});
 * <li>the log has begun anew behind its snapshot mark N, with one atomic change.
 * </ol>
 *
 * <p>A start finds the ledger in force by the log: it is the installed {@code ledger-N} with the greatest N that is not
 * beyond the log's snapshot mark; without one it is {@code ledger}. Why that is the right one, wherever power went: only
 * one ledger is there when the threads of a member begin, because a start {@linkplain #keepOnly deletes} all others
 * first. Then a ledger that is marked was marked in this very life.
 *
 * <ul>
 * <li>If the log has begun anew behind N, its mark is N or beyond, and {@code ledger-N} is chosen over those from before,
 * whose N is smaller. It holds N, so nothing is missing between it and the log.
 * <li>If it has not, its mark lies before N: N was beyond the commit index, a mark never is, and between steps 2 and 3 the
 * log's thread writes no mark. If step 3 fails, the log is poisoned, so there is none in this life. So {@code ledger-N} is
 * passed over, and what was in force still is.
 * </ul>
 *
 * <p>That is also why a passed-over ledger must be gone for good before the log is given another mark: one that reaches N
 * would bring it into force. So its file {@code installed} is the first to be deleted, durably.
 */
final class LedgerDirectories {
    private static final String INSTALLED = "installed";
    private static final String TEMPORARY = ".tmp";
    private static final Pattern SENT = Pattern.compile("ledger-([0-9a-f]{16})");

    private final Disk disk;
    private final DataDirectory directory;

    LedgerDirectories(Disk disk, DataDirectory directory) {
        this.disk = disk;
        this.directory = directory;
    }

    /** Whether a file of the member's directory has the name of a ledger. */
    static boolean isLedger(String name) {
        return name.equals(DataDirectory.LEDGER) || index(name) != null;
    }

    private static @Nullable Long index(String name) {
        Matcher matcher = SENT.matcher(name);
        return matcher.matches() ? (Long) HexFormat.fromHexDigitsToLong(matcher.group(1)) : null;
    }

    /** The ledger for the state at this index, whether it is there or not. */
    Path of(long index) {
        return directory.member().resolve("ledger-" + HexFormat.of().toHexDigits(index));
    }

    /** The one to start on, given the index of the log's snapshot mark. Changes nothing. */
    Path inForce(long markIndex) {
        Path chosen = directory.ledger();
        // In the order of their names, which is that of the indices.
        for (String name : disk.list(directory.member())) {
            Long index = index(name);
            Path ledger = directory.member().resolve(name);
            if (index != null && index <= markIndex && disk.exists(ledger.resolve(INSTALLED))) {
                chosen = ledger;
            }
        }
        return chosen;
    }

    /** Deletes all other ledgers for good, and what was left of states that were being received. */
    void keepOnly(Path inForce) {
        for (String name : disk.list(directory.member())) {
            Path ledger = directory.member().resolve(name);
            if (isLedger(name) && !ledger.equals(inForce)) {
                delete(ledger);
            }
        }
        if (!disk.exists(directory.snap())) {
            return;
        }
        for (String name : disk.list(directory.snap())) {
            if (name.endsWith(TEMPORARY)) {
                disk.delete(directory.snap().resolve(name));
            }
        }
    }

    /** Where the state at this index is kept while it arrives. */
    Path arriving(long index) {
        return directory.snap().resolve(HexFormat.of().toHexDigits(index) + ".snap.db" + TEMPORARY);
    }

    /** The log is about to begin anew behind this index. Durable on return. May be said again. */
    void markInstalled(long index) {
        Path ledger = of(index);
        if (!disk.exists(ledger.resolve(INSTALLED))) {
            disk.create(ledger.resolve(INSTALLED)).close();
        }
        disk.syncDirectory(ledger);
    }

    /** Deletes a ledger that is not open, for good. One that is not there is no failure. */
    void delete(Path ledger) {
        Path mark = ledger.resolve(INSTALLED);
        if (disk.exists(mark)) {
            disk.delete(mark);
            disk.syncDirectory(ledger);
        }
        disk.deleteDirectory(ledger);
        disk.syncDirectory(directory.member());
    }
}
