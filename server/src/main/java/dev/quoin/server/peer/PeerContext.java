package dev.quoin.server.peer;

import java.util.List;
import java.util.concurrent.Semaphore;

import dev.quoin.base.Clock;
import dev.quoin.member.Inbox;
import dev.quoin.net.DialRequest;
import dev.quoin.net.HttpFields;
import dev.quoin.raft.Message;

/**
 * What all links of a network share.
 *
 * @param headers what each of our requests says
 * @param snapshots taken by each state that is being sent
 */
record PeerContext(long memberId, HttpFields headers, PeerLimits limits, Clock clock, PeerClient client, Inbox inbox,
        Intake intake, Later later, Semaphore snapshots, PeerMetrics metrics) {
    /** What becomes of a message that arrived (etcdserver/server.go Process). */
    enum Verdict {
        TOLD, REMOVED_SENDER, NOT_FOR_US,
        /** It has a request of its own, with the state behind it. */
        SNAPSHOT
    }

    /** Where messages go that arrive. Never blocks. */
    interface Intake {
        Verdict verdict(Message message);

        /** For messages whose verdict is {@link Verdict#TOLD}: all that came together. */
        void tell(List<Message> messages);
    }

    /** A post of the raft handlers. */
    DialRequest post(String path, String contentType, DialRequest.Body body, long silenceMillis) {
        return DialRequest.post(path, headers.with("content-type", contentType), body, limits.answerBytesMax(),
                silenceMillis);
    }
}
