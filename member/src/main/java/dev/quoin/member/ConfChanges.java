package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;

import com.google.protobuf.ByteString;

import dev.quoin.api.raftpb.ConfChange;
import dev.quoin.api.raftpb.ConfChangeType;
import dev.quoin.base.Bytes;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.raft.EntryKind;

/** The entries that change members, as etcd writes them (etcdserver/server.go); {@link MemberChange} applies them. */
final class ConfChanges {
    private ConfChanges() {}

    /**
     * The data of the entry that asks for a change.
     *
     * @param id by which whoever proposed it finds it again
     */
    static Bytes encode(long id, ClusterChange change) {
        ConfChange.Builder entry = switch (change) {
            case ClusterChange.Add add -> of(add.learner()
                    ? ConfChangeType.ConfChangeAddLearnerNode
                    : ConfChangeType.ConfChangeAddNode, add.id(), MemberJson.write(described(add)));
            case ClusterChange.Remove remove -> remove(remove.id());
            // To the core the promotion of a learner is a voter that is added.
            case ClusterChange.Promote promote -> of(ConfChangeType.ConfChangeAddNode, promote.id(),
                    MemberJson.writePromotion(promote.id()));
            case ClusterChange.Update update -> of(ConfChangeType.ConfChangeUpdateNode, update.id(),
                    MemberJson.write(described(update)));
        };
        return encode(entry.setId(id));
    }

    /** A member that was there from the beginning, or that is there by force: nobody asked for it, so it has no id. */
    static Bytes added(MemberInfo member) {
        return encode(of(ConfChangeType.ConfChangeAddNode, member.id(), MemberJson.write(member)));
    }

    /** The beginning of a cluster's log: an entry for each member it starts with, in the order of their ids. */
    static List<WalEntry> founding(Membership members, long term) {
        List<WalEntry> entries = new ArrayList<>();
        for (MemberInfo member : members.members()) {
            entries.add(new WalEntry(EntryKind.CONF_CHANGE.number(), term, entries.size() + 1, added(member)));
        }
        return entries;
    }

    /** A member that is gone by force. */
    static Bytes removed(long memberId) {
        return encode(remove(memberId));
    }

    private static MemberInfo described(ClusterChange.Add add) {
        return new MemberInfo(add.id(), "", add.peerUrls(), List.of(), add.learner());
    }

    private static MemberInfo described(ClusterChange.Update update) {
        return new MemberInfo(update.id(), "", update.peerUrls(), List.of(), false);
    }

    private static ConfChange.Builder remove(long memberId) {
        return ConfChange.newBuilder().setType(ConfChangeType.ConfChangeRemoveNode).setNodeId(memberId);
    }

    private static ConfChange.Builder of(ConfChangeType type, long memberId, Bytes context) {
        return ConfChange.newBuilder().setType(type).setNodeId(memberId)
                .setContext(ByteString.copyFrom(context.toByteArray()));
    }

    private static Bytes encode(ConfChange.Builder entry) {
        return Bytes.of(entry.build().toByteArray());
    }
}
