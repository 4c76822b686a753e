package dev.quoin.server.peer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.raft.Message;
import dev.quoin.server.dial.Exchange;

/**
 * A post for each message (rafthttp pipeline), for a member that has not dialled a stream. A few virtual threads carry
 * the messages away, so several may be under way, and overtake one another.
 */
final class Pipeline {
    private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);
    /** Long enough to look at whether the queue is closed; nobody waits for it. */
    private static final long WAIT_NANOS = 60_000_000_000L;

    private final PeerLink link;
    private final PeerContext context;
    private final SendQueue queue;
    private final List<Thread> workers = new ArrayList<>();

    Pipeline(PeerLink link, PeerContext context) {
        this.link = link;
        this.context = context;
        queue = new SendQueue(context.limits().pipelineMessagesMax(), context.limits().queuedBytesMax());
    }

    void start() {
        long holder = queue.open(null);
        for (int i = 0; i < context.limits().pipelineWorkers(); i++) {
            workers.add(Thread.ofVirtual().name("peer-pipeline-" + link.name() + "-" + i).start(() -> work(holder)));
        }
    }

    SendQueue.Offered offer(Message message) {
        return queue.offer(message);
    }

    void close() {
        queue.close();
        workers.forEach(Thread::interrupt);
    }

    private void work(long holder) {
        try {
            while (true) {
                List<Message> taken = queue.take(holder, 1, WAIT_NANOS);
                if (taken == null) {
                    return;
                }
                for (Message message : taken) {
                    post(message);
                }
            }
        } catch (InterruptedException closed) {
            // That is how it ends.
        }
    }

    private void post(Message message) throws InterruptedException {
        DialTarget target = link.targets().pick();
        if (target == null) {
            link.lost();
            return;
        }
        try {
            Bytes bytes = PeerMessages.bytes(message);
            Exchange.Reply reply = context.client().ask(target, context.post("/raft", "application/protobuf",
                    new DialRequest.Body.Whole(bytes), context.limits().silenceMillisMax()));
            link.checkPosted(reply);
            link.metrics().sent(bytes.length());
            link.activity().activate();
        } catch (IOException failed) {
            link.targets().unreachable(target);
            link.activity().deactivate("failed to write " + link.name() + " on pipeline (" + failed.getMessage() + ")");
            LOG.atDebug().addKeyValue("remote-peer-id", link.name()).addKeyValue("error", failed.getMessage())
                    .log("failed to post a Raft message");
            link.lost();
        }
    }
}
