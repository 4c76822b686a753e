package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.EntryKind;

/**
 * What becomes of a log when its member goes on as the only one of its cluster, {@code --force-new-cluster}
 * (etcdserver/bootstrap.go, storage/util.go). Behind the log stand entries that add this member, if need be, and remove all
 * others; and all of it is committed by definition: there is nobody left to ask. Pure.
 *
 * <p>An etcd gives up what lies beyond the commit index on its disk. That index lags behind what was acknowledged, so an
 * acknowledged write may go with it; here nothing goes. What stays may be more than was acknowledged, never less.
 *
 * @param state with everything committed; to be written with {@code added}, and synced, before anything else
 * @param added what follows the log
 */
record ForcedCluster(WalState state, List<WalEntry> added) {
    /** What etcd writes for a member that nobody knows the URLs of. */
    private static final List<String> PEER_URLS_UNKNOWN = List.of("http://localhost:2380");

    /**
     * Works out a log.
     *
     * @param applied the membership at {@code appliedIndex}
     * @param entries of the log, from {@code appliedIndex + 1} or earlier on, without a gap
     * @throws StartRefused if the member has no vote: an etcd would panic later on, having removed all voters
     */
    static ForcedCluster of(long self, Membership applied, long appliedIndex, WalState state, List<WalEntry> entries,
            int learnersMax) {
        Membership membership = applied;
        long last = appliedIndex;
        for (WalEntry entry : entries) {
            last = Math.max(last, entry.index());
            if (entry.index() > appliedIndex && entry.type() == EntryKind.CONF_CHANGE.number()) {
                membership = MemberChange.applied(membership, entry.data(), learnersMax).membership();
            }
        }
        if (membership.member(self).filter(MemberInfo::isLearner).isPresent()) {
            throw new StartRefused("member " + Long.toHexString(self) + " is a learner: it has no vote, and may lack"
                    + " what was acknowledged. Use --force-new-cluster on a voter, or restore a backup.");
        }
        List<WalEntry> added = added(self, membership, state.term(), last);
        return new ForcedCluster(new WalState(state.term(), state.vote(), last + added.size()), added);
    }

    /** This member first: consensus never has no voter. */
    private static List<WalEntry> added(long self, Membership membership, long term, long last) {
        List<Bytes> changes = new ArrayList<>();
        if (membership.member(self).isEmpty()) {
            changes.add(ConfChanges.added(new MemberInfo(self, "", PEER_URLS_UNKNOWN, List.of(), false)));
        }
        membership.members().stream().map(MemberInfo::id).filter(id -> id != self)
                .forEach(id -> changes.add(ConfChanges.removed(id)));
        List<WalEntry> added = new ArrayList<>();
        for (Bytes change : changes) {
            added.add(new WalEntry(EntryKind.CONF_CHANGE.number(), term, last + 1 + added.size(), change));
        }
        return added;
    }
}
