package dev.quoin.server.peer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

import dev.quoin.store.KeyHash;

/**
 * Compares what members hold by their hashes, in etcd's three ways (etcdserver/corrupt.go): before a member serves, now and then
 * while it leads, and after compactions. Hashes are compared only where they look across the same compaction; else they say
 * nothing about each other. For one thread at a time, which waits.
 */
final class CorruptionCheck {
    private static final Logger LOG = LoggerFactory.getLogger(CorruptionCheck.class);
    /** Where nobody knows who is wrong: the alarm is about the cluster. */
    private static final long NOBODY = 0;

    /** The member, and the others as far as they can be asked. */
    interface Cluster {
        long memberId();

        /**
         * Of all that is there now.
         *
         * @throws dev.quoin.disk.Damaged if a record is lost
         */
        KeyHash hash();

        /** What all others say of a revision. */
        List<PeerHash> ask(long revision) throws InterruptedException;

        /** What this member's compactions have left, by revision. */
        List<KeyHash> compactionHashes();

        /** Waits until all is applied here that was acknowledged before; false if that takes too long. */
        boolean linearize() throws InterruptedException;

        /** Says to the whole cluster that a member is corrupt. */
        void raise(long member);
    }

    private final Cluster cluster;
    private long checkedRevision;

    CorruptionCheck(Cluster cluster) {
        this.cluster = cluster;
    }

    // ---- before it serves

    /** Whether nobody contradicts what this member holds. Who does not answer, is behind, or ahead, does not contradict. */
    boolean holdsWhatOthersHold() throws InterruptedException {
        LOG.atInfo().addKeyValue("local-member-id", self()).log("starting initial corruption check");
        KeyHash own = cluster.hash();
        boolean differs = false;
        for (PeerHash peer : cluster.ask(own.revision())) {
            switch (peer) {
                case PeerHash.Known(_, _, KeyHash theirs, long revision) -> {
                    boolean isSame = theirs.hash() == own.hash();
                    boolean isComparable = theirs.compactRevision() == own.compactRevision();
                    if (!isSame) {
                        beside(own, peer).addKeyValue("remote-peer-revision", revision)
                                .addKeyValue("remote-peer-compact-revision", theirs.compactRevision())
                                .addKeyValue("remote-peer-hash", text(theirs)).log(isComparable
                                        ? "found different hash values from remote peer"
                                        : "found different compact revision values from remote peer");
                    }
                    differs |= !isSame && isComparable;
                }
                case PeerHash.Unknown(_, _, PeerHash.Why why, String error) ->
                    beside(own, peer).addKeyValue("error", error).log(switch (why) {
                        case FUTURE_REVISION -> "cannot fetch hash from slow remote peer";
                        case COMPACTED -> "cannot fetch hash from remote peer; local member is behind";
                        case OTHER_CLUSTER -> "cluster ID mismatch";
                        case NO_ANSWER -> "cannot fetch hash from remote peer";
                    });
            }
        }
        if (!differs) {
            LOG.atInfo().addKeyValue("local-member-id", self())
                    .log("initial corruption checking passed; no corruption");
        }
        return !differs;
    }

    private LoggingEventBuilder beside(KeyHash own, PeerHash peer) {
        return LOG.atWarn().addKeyValue("local-member-id", self()).addKeyValue("local-member-revision", own.revision())
                .addKeyValue("local-member-compact-revision", own.compactRevision())
                .addKeyValue("local-member-hash", text(own)).addKeyValue("remote-peer-id", name(peer.member()))
                .addKeyValue("remote-peer-endpoints", peer.urls());
    }

    // ---- now and then, by a leader

    /** Compares all that is there. At most one alarm is raised. */
    void compareAll() throws InterruptedException {
        KeyHash before = cluster.hash();
        List<PeerHash> peers = cluster.ask(before.revision());
        if (!cluster.linearize()) {
            LOG.warn("failed to check hash KV");
            return;
        }
        KeyHash after = cluster.hash();
        Long wrong = null;
        if (after.hash() != before.hash() && after.revision() == before.revision()
                && after.compactRevision() == before.compactRevision()) {
            LOG.atWarn().addKeyValue("revision-1", before.revision())
                    .addKeyValue("compact-revision-1", before.compactRevision()).addKeyValue("hash-1", text(before))
                    .addKeyValue("revision-2", after.revision())
                    .addKeyValue("compact-revision-2", after.compactRevision()).addKeyValue("hash-2", text(after))
                    .log("found hash mismatch");
            wrong = cluster.memberId();
        }
        int checked = 0;
        for (PeerHash peer : peers) {
            if (peer instanceof PeerHash.Known known) {
                checked++;
                if (contradicts(known, before, after) && wrong == null) {
                    wrong = known.member();
                }
            }
        }
        if (wrong != null) {
            cluster.raise(wrong);
        }
        LOG.atInfo().addKeyValue("number-of-peers-checked", checked).log("finished peer corruption check");
    }

    /** Whether a follower is where none can be, or holds something else. It was asked between the leader's two hashes. */
    private static boolean contradicts(PeerHash.Known peer, KeyHash before, KeyHash after) {
        boolean isAhead = peer.revision() > after.revision();
        if (isAhead) {
            LOG.atWarn().addKeyValue("leader-revision", after.revision())
                    .addKeyValue("follower-revision", peer.revision())
                    .addKeyValue("follower-peer-id", name(peer.member()))
                    .log("revision from follower must be less than or equal to leader's");
        }
        boolean isCompactedAhead = peer.hash().compactRevision() > after.compactRevision();
        if (isCompactedAhead) {
            LOG.atWarn().addKeyValue("leader-compact-revision", after.compactRevision())
                    .addKeyValue("follower-compact-revision", peer.hash().compactRevision())
                    .addKeyValue("follower-peer-id", name(peer.member()))
                    .log("compact revision from follower must be less than or equal to leader's");
        }
        boolean isDifferent = peer.hash().compactRevision() == before.compactRevision()
                && peer.hash().hash() != before.hash();
        if (isDifferent) {
            LOG.atWarn().addKeyValue("leader-compact-revision", after.compactRevision())
                    .addKeyValue("leader-hash", text(before))
                    .addKeyValue("follower-compact-revision", peer.hash().compactRevision())
                    .addKeyValue("follower-hash", text(peer.hash()))
                    .addKeyValue("follower-peer-id", name(peer.member()))
                    .log("same compact revision then hashes must match");
        }
        return isAhead || isCompactedAhead || isDifferent;
    }

    // ---- after compactions, by a leader

    /**
     * Compares the hashes that compactions have left, the newest first, until one is found that all members have; or until some
     * differ. Then the minority is corrupt, or if there is no majority, the cluster.
     */
    void compareCompactions() throws InterruptedException {
        LOG.atInfo().addKeyValue("local-member-id", self()).log("starting compact hash check");
        int looked = 0;
        for (KeyHash own : cluster.compactionHashes().reversed()) {
            if (own.revision() <= checkedRevision) {
                break;
            }
            looked++;
            List<PeerHash> peers = cluster.ask(own.revision());
            if (!peers.isEmpty() && isSettled(own, peers)) {
                break;
            }
        }
        LOG.atInfo().addKeyValue("number-of-hashes-checked", looked).log("finished compaction hash check");
    }

    /** Whether an older hash need not be looked at. */
    private boolean isSettled(KeyHash own, List<PeerHash> peers) {
        Map<Integer, List<Long>> members = new TreeMap<>();
        members.put(own.hash(), new ArrayList<>(List.of(cluster.memberId())));
        int checked = 0;
        for (PeerHash peer : peers) {
            if (peer instanceof PeerHash.Known known && known.hash().compactRevision() == own.compactRevision()) {
                checked++;
                members.computeIfAbsent(known.hash().hash(), any -> new ArrayList<>()).add(known.member());
            } else {
                LOG.atWarn().addKeyValue("number-of-peers", peers.size()).addKeyValue("leader-id", self())
                        .addKeyValue("peer-id", name(peer.member())).addKeyValue("reason", whySkipped(peer, own))
                        .log("Skipped peer's hash");
            }
        }
        if (members.size() == 1) {
            return isCheckedOnAll(own, checked, peers.size());
        }
        raise(own, members, peers.size() + 1);
        return true;
    }

    private static String whySkipped(PeerHash peer, KeyHash own) {
        return switch (peer) {
            case PeerHash.Known known -> "the peer's CompactRevision " + known.hash().compactRevision()
                    + " doesn't match leader's CompactRevision " + own.compactRevision();
            case PeerHash.Unknown unknown -> "no response";
        };
    }

    private boolean isCheckedOnAll(KeyHash own, int checked, int peers) {
        boolean isWhole = checked == peers;
        if (isWhole) {
            checkedRevision = Math.max(checkedRevision, own.revision());
        }
        LOG.atLevel(isWhole ? Level.INFO : Level.WARN).addKeyValue("number-of-peers-checked", checked)
                .addKeyValue("number-of-peers", peers).addKeyValue("revision", own.revision())
                .addKeyValue("compactRevision", own.compactRevision())
                .log(isWhole ? "successfully checked hash on whole cluster"
                        : "skipped revision in compaction hash check; was not able to check all peers");
        return isWhole;
    }

    private void raise(KeyHash own, Map<Integer, List<Long>> members, int memberCount) {
        int quorum = memberCount / 2 + 1;
        boolean hasMajority = members.values().removeIf(group -> group.size() >= quorum);
        if (!hasMajority) {
            LOG.atError().addKeyValue("leader-id", self()).addKeyValue("leader-revision", own.revision())
                    .addKeyValue("leader-compact-revision", own.compactRevision())
                    .addKeyValue("leader-hash", text(own))
                    .log("Detected compaction hash mismatch but cannot identify the corrupted members, so"
                            + " intentionally set the memberID as 0");
            cluster.raise(NOBODY);
        }
        members.forEach((hash, group) -> {
            if (hasMajority) {
                group.forEach(cluster::raise);
            }
            LOG.atError().addKeyValue("leader-id", self()).addKeyValue("leader-revision", own.revision())
                    .addKeyValue("leader-compact-revision", own.compactRevision())
                    .addKeyValue("leader-hash", text(own)).addKeyValue("peer-hash", Integer.toUnsignedString(hash))
                    .addKeyValue("peer-ids",
                            group.stream().map(CorruptionCheck::name).collect(Collectors.joining(",")))
                    .addKeyValue("quorum-exist", hasMajority).log("Detected compaction hash mismatch");
        });
    }

    // ----

    private String self() {
        return name(cluster.memberId());
    }

    private static String name(long member) {
        return Long.toHexString(member);
    }

    private static String text(KeyHash hash) {
        return Integer.toUnsignedString(hash.hash());
    }
}
