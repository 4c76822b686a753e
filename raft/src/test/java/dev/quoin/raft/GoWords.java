package dev.quoin.raft;

import java.util.List;
import java.util.stream.Collectors;

/** What the reference prints for the things of this room, word for word. */
final class GoWords {
    private GoWords() {}

    static String hex(long id) {
        return Long.toHexString(id);
    }

    static String message(Message message) {
        String head = hex(message.from()) + "->" + hex(message.to()) + " " + LogLine.type(message) + " Term:"
                + message.term();
        return head + switch (message) {
            case Message.Append m -> log(m.prevTerm(), m.prevIndex()) + commit(m.commit()) + entries(m.entries(), "");
            case Message.AppendAccepted m -> log(0, m.index());
            case Message.AppendRejected m -> log(m.hintTerm(), m.index()) + " Rejected (Hint: " + m.hintIndex() + ")";
            case Message.Heartbeat m -> log(0, 0) + commit(m.commit());
            case Message.HeartbeatAnswer m -> log(0, 0);
            case Message.VoteRequest m -> log(m.lastTerm(), m.lastIndex());
            case Message.VoteAnswer m -> log(0, 0) + (m.granted() ? "" : " Rejected (Hint: 0)");
            case Message.InstallSnapshot m -> log(0, 0) + "\n  Snapshot: " + snapshot(m.snapshot());
            case Message.Propose m -> log(0, 0) + entries(m.proposals().stream()
                    .map(proposal -> new Entry(0, 0, proposal.kind(), proposal.data())).toList(), "");
            case Message.ReadIndex m -> log(0, 0);
            case Message.ReadIndexAnswer m -> log(0, m.index());
            case Message.TransferLeader m -> log(0, 0);
            case Message.TimeoutNow m -> log(0, 0);
        };
    }

    private static String log(long term, long index) {
        return " Log:" + term + "/" + index;
    }

    static String commit(long commit) {
        return commit == 0 ? "" : " Commit:" + commit;
    }

    static String entries(List<Entry> entries, String indent) {
        if (entries.isEmpty()) {
            return "";
        }
        if (entries.size() == 1) {
            return " Entries:[" + entry(entries.getFirst()) + "]";
        }
        return entries.stream().map(entry -> "\n" + indent + "  " + entry(entry))
                .collect(Collectors.joining("", " Entries:[", "\n" + indent + "]"));
    }

    static String entry(Entry entry) {
        String head = entry.term() + "/" + entry.index() + " ";
        return head + switch (entry.kind()) {
            case NORMAL -> "EntryNormal \"" + entry.data().toUtf8().replace("\"", "\\\"") + '"';
            case CONF_CHANGE -> "EntryConfChange" + changes(entry);
            case CONF_CHANGE_V2 -> "EntryConfChangeV2" + changes(entry);
        };
    }

    private static String changes(Entry entry) {
        return ConfChange.decode(entry.kind(), entry.data()).changes().stream()
                .map(change -> " " + letter(change.kind()) + Long.toUnsignedString(change.node()))
                .collect(Collectors.joining());
    }

    private static String letter(ConfChange.Kind kind) {
        return switch (kind) {
            case ADD_VOTER -> "v";
            case ADD_LEARNER -> "l";
            case REMOVE -> "r";
            case UPDATE -> "u";
        };
    }

    static String snapshot(SnapshotMeta snapshot) {
        ConfState state = snapshot.configuration();
        return "Index:" + snapshot.index() + " Term:" + snapshot.term() + " ConfState:Voters:" + ids(state.voters())
                + " VotersOutgoing:" + ids(state.votersOutgoing()) + " Learners:" + ids(state.learners())
                + " LearnersNext:" + ids(state.learnersNext()) + " AutoLeave:" + state.autoLeave();
    }

    private static String ids(List<Long> ids) {
        return ids.stream().map(String::valueOf).collect(Collectors.joining(" ", "[", "]"));
    }

    static String hardState(HardState state) {
        return "Term:" + state.term() + (state.vote() == 0 ? "" : " Vote:" + state.vote()) + " Commit:"
                + state.commit();
    }
}
