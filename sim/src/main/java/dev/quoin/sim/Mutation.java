package dev.quoin.sim;

import java.util.List;

/**
 * A mistake that somebody might make: in a source file, other text in the place of some text that must be there exactly
 * once; in several, where one guard stands behind another. Nothing in the members knows of it.
 *
 * @param name what the mistake is
 */
record Mutation(String name, List<Edit> edits) {
    /**
     * In one file.
     *
     * @param file from the root of the repository
     */
    record Edit(String file, String right, String wrong) {
        /** The mistaken file, or the reason why there is none. */
        String appliedTo(String source) {
            String from = right.strip();
            int at = source.indexOf(from);
            if (at < 0 || source.indexOf(from, at + 1) >= 0) {
                throw new IllegalStateException("a mutation's text is not in " + file
                        + " exactly once any more; bring it in line with the source:\n" + from);
            }
            return source.substring(0, at) + wrong.strip() + source.substring(at + from.length());
        }
    }

    private Mutation(String name, String file, String right, String wrong) {
        this(name, List.of(new Edit(file, right, wrong)));
    }

    private static final String RAFT = "raft/src/main/java/dev/quoin/raft/";
    private static final String MEMBER = "member/src/main/java/dev/quoin/member/";
    private static final String WATCH = MEMBER + "watch/";

    static final List<Mutation> ALL = List.of(
            new Mutation("commits an entry of an older term by counting", RAFT + "Leadership.java",
                    """
                            quorum < firstIndexOfTerm || quorum > log.lastIndex()) {
                                        return false;
                                    }
                                    Invariant.check(log.termAt(quorum) == term, "entry %d is not of term %d", quorum, term);
                            """,
                    """
                            quorum > log.lastIndex()) {
                                        return false;
                                    }
                            """),
            new Mutation("does not sync a vote", MEMBER + "LogWriter.java",
                    "sync |= persist.sync();",
                    "sync |= persist.sync() && !persist.entries().isEmpty();"),
            new Mutation("votes twice in a term", RAFT + "RaftCore.java",
                    "boolean mayVote = vote == request.from() || (vote == 0 && leader == 0)",
                    "boolean mayVote = leader == 0"),
            new Mutation("votes for a log that lacks entries", RAFT + "RaftCore.java",
                    "if (mayVote && log.isUpToDate(request.lastTerm(), request.lastIndex())) {",
                    "if (mayVote) {"),
            new Mutation("acknowledges before the sync", MEMBER + "LogWriter.java",
                    """
                            if (sync) {
                                        wal.sync();
                                        metrics.logSynced(clock.nanos() - appended);
                                    }
                                    onPersisted.accept(last.ticket());
                            """,
                    """
                            onPersisted.accept(last.ticket());
                                    if (sync) {
                                        wal.sync();
                                    }
                            """),
            new Mutation("counts its own entries before they are synced", RAFT + "RaftCore.java",
                    "leadership.onDurable(log.durableIndex());",
                    "leadership.onDurable(log.lastIndex());"),
            new Mutation("raises its term for a pre-vote", RAFT + "RaftCore.java",
                    """
                            if (!request.pre()) {
                                                followHigherTerm(message, 0);
                                            }
                            """,
                    """
                            followHigherTerm(message, 0);
                            """),
            new Mutation("answers a read without asking a quorum", RAFT + "Leadership.java",
                    "if (rules.leaseReads() || alone) {",
                    "if (rules.leaseReads() || alone || !reads.isKnown(Bytes.utf8(\"never\"))) {"),
            new Mutation("changes members while a change is under way", RAFT + "Leadership.java",
                    "if (pendingConfIndex > log.appliedIndex()) {",
                    "if (pendingConfIndex > log.lastIndex() + 1) {"),
            new Mutation("installs a snapshot over a newer log", RAFT + "RaftCore.java",
                    """
                            if (snapshot.index() <= log.committedIndex()) {
                                        return false;
                                    }
                            """,
                    ""),
            new Mutation("forgets what a watcher was not told when it fell behind", WATCH + "WatchHub.java",
                    "watcher.next = Math.max(watcher.next, position + 1);",
                    "watcher.next = Math.max(watcher.next, horizon() + 1);"),
            new Mutation("tells progress while watchers are behind", WATCH + "WatchStream.java",
                    "if (!isReady() || !watchers.values().stream().allMatch(this::isInStep)) {",
                    "if (!isReady()) {"),
            new Mutation("believes that a state it was sent had no news", WATCH + "WatchHub.java",
                    """
                            if (batches.isEmpty()) {
                                        loseStep(newest);
                                        return begin();
                                    }
                            """,
                    """
                            if (batches.isEmpty()) {
                                        position = newest;
                                        return null;
                                    }
                            """),
            new Mutation("sends while a long message is under way", WATCH + "WatchStream.java",
                    "return !isClosed && !isSendingLong && waiting.isEmpty() && outlet.hasRoom();",
                    "return !isClosed && waiting.isEmpty() && outlet.hasRoom();"),
            new Mutation("ends a watcher that a compaction has just reached", WATCH + "CatchUp.java",
                    "boolean isCompacted = wanted.next < view.compactedRevision();",
                    "boolean isCompacted = wanted.next <= view.compactedRevision();"),
            new Mutation("tells what a key was two revisions ago", "store/src/main/java/dev/quoin/store/Change.java",
                    "int before = history.at(main - 1);",
                    "int before = history.at(main - 2);"),
            new Mutation("lets a lease end after its time, renewed or not", MEMBER + "Lessor.java",
                    "if (!first.isDecided && expiry(first) > now) {",
                    "if (!first.isDecided && expiry(first) > now && first.promotion != primacy.promotion()) {"),
            new Mutation("goes on with leases when it has lost its office", MEMBER + "RaftLoop.java",
                    "if (leads != toldTerm) {",
                    "if (leads > toldTerm) {"),
            new Mutation("forgets leases that were there when it was promoted", MEMBER + "Lessor.java",
                    "promotedTo = Long.MIN_VALUE;",
                    "promotedTo = null;"));
}
