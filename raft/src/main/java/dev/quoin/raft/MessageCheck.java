package dev.quoin.raft;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * What no honest member can have sent, seen from the message alone. Go's members die of some of these; here the message
 * is refused and the node goes on. A message in which two ends of a log disagree is not forged here but damaged, or
 * comes from a member whose log was lost.
 */
final class MessageCheck {
    private MessageCheck() {}

    static Event.@Nullable Refusal refusal(Message message, long self) {
        if (message.to() != self || message.from() == 0 || (message.from() == self && !isPassedOn(message))) {
            return Event.Refusal.NOT_FOR_US;
        }
        return switch (message) {
            case Message.Propose propose -> propose.proposals().isEmpty() ? Event.Refusal.PROPOSAL : null;
            case Message.ReadIndex read -> null;
            case Message.Append append -> entries(append);
            case Message.AppendAccepted answer -> numbers(answer.term(), answer.index());
            case Message.AppendRejected answer ->
                numbers(answer.term(), answer.index() | answer.hintIndex() | answer.hintTerm());
            case Message.Heartbeat heartbeat -> numbers(heartbeat.term(), heartbeat.commit());
            case Message.HeartbeatAnswer answer -> numbers(answer.term(), 0);
            case Message.VoteRequest request -> numbers(request.term(), request.lastIndex() | request.lastTerm());
            case Message.VoteAnswer answer -> numbers(answer.term(), 0);
            case Message.InstallSnapshot install -> snapshot(install);
            case Message.ReadIndexAnswer answer -> numbers(answer.term(), answer.index());
            case Message.TransferLeader transfer -> numbers(transfer.term(), 0);
            case Message.TimeoutNow now -> numbers(now.term(), 0);
        };
    }

    /** Such a message keeps its origin on its way, and may come back to it. */
    private static boolean isPassedOn(Message message) {
        return message instanceof Message.Propose || message instanceof Message.ReadIndex
                || message instanceof Message.TransferLeader;
    }

    /** A term is positive; the others, of which one is negative if their union is, are not negative. */
    private static Event.@Nullable Refusal numbers(long term, long unionOfOthers) {
        return term <= 0 || unionOfOthers < 0 ? Event.Refusal.NUMBERS : null;
    }

    private static Event.@Nullable Refusal entries(Message.Append append) {
        List<Entry> entries = append.entries();
        Event.Refusal refusal = numbers(append.term(), append.prevIndex() | append.prevTerm() | append.commit()
                | (append.prevIndex() + entries.size()));
        if (refusal != null) {
            return refusal;
        }
        long index = append.prevIndex();
        long term = append.prevTerm();
        for (Entry entry : entries) {
            if (entry.index() != index + 1 || entry.term() < term) {
                return Event.Refusal.ENTRIES;
            }
            index++;
            term = entry.term();
        }
        return term > append.term() ? Event.Refusal.ENTRIES : null;
    }

    private static Event.@Nullable Refusal snapshot(Message.InstallSnapshot install) {
        Event.Refusal refusal = numbers(install.term(), install.snapshot().index() | install.snapshot().term());
        if (refusal != null) {
            return refusal;
        }
        try {
            ConfigChanger.restore(install.snapshot().configuration());
        } catch (ConfigChanger.Impossible e) {
            return Event.Refusal.CONFIGURATION;
        }
        return install.snapshot().term() > install.term() ? Event.Refusal.ENTRIES : null;
    }
}
