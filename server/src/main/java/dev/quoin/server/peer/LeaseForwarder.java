package dev.quoin.server.peer;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.quoin.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveRequest;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.api.leasepb.LeaseInternalRequest;
import dev.quoin.api.leasepb.LeaseInternalResponse;
import dev.quoin.base.Bytes;
import dev.quoin.member.Failure;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.LeaseReply;
import dev.quoin.member.MemberInfo;
import dev.quoin.net.DialCall;
import dev.quoin.net.DialEnd;
import dev.quoin.net.DialHandler;
import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.net.HttpFields;
import dev.quoin.server.dial.Exchange;
import dev.quoin.server.dial.Gathered;

/**
 * Passes questions about leases on to the leader, over its peer URLs (leasehttp/http.go, etcdserver/v3_server.go LeaseRenew):
 * each is a request of its own, as etcd knows no other, on a connection that serves many. Asked again every 50 ms until
 * there is an answer or it is too late; to be asked twice does no harm. Any thread; answers are told on the dialler's loop,
 * on this object's own thread, or on the member's.
 */
public final class LeaseForwarder implements AutoCloseable {
    /** How many are asked at the same time: each has a connection meanwhile. */
    private static final int UNDER_WAY_MAX = 64;
    private static final int WAITING_MAX = 100_000;
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** As etcd: an answer may have every key of a lease. */
    private static final long ANSWER_BYTES_MAX = 100L << 20;
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;

    /** A question on its way. */
    private static final class Pending {
        private final LeaseQuestion question;
        private final long deadlineNanos;
        private int tries;
        private long retryNanos;

        Pending(LeaseQuestion question, long deadlineNanos) {
            this.question = question;
            this.deadlineNanos = deadlineNanos;
        }
    }

    private final PeerHost host;
    private final PeerNetwork network;
    private final long withinNanos;
    private final Thread retrying = Thread.ofVirtual().name("peer-leases").unstarted(this::retry);
    // Guarded by this.
    private final Deque<Pending> waiting = new ArrayDeque<>();
    private final Deque<Pending> later = new ArrayDeque<>();
    private int underWay;
    private boolean closed;

    private LeaseForwarder(PeerHost host, PeerNetwork network, long withinNanos) {
        this.host = host;
        this.network = network;
        this.withinNanos = withinNanos;
    }

    /**
     * Begins, on a network that is open.
     *
     * @param withinNanos how long a question may be on its way
     */
    public static LeaseForwarder start(PeerHost host, PeerNetwork network, long withinNanos) {
        LeaseForwarder forwarder = new LeaseForwarder(host, network, withinNanos);
        forwarder.retrying.start();
        return forwarder;
    }

    /** Asks whoever leads. */
    public void forward(List<LeaseQuestion> questions) {
        List<LeaseQuestion> refused = new ArrayList<>();
        Failure why = Failure.STOPPED;
        synchronized (this) {
            long deadline = System.nanoTime() + withinNanos;
            for (LeaseQuestion question : questions) {
                if (closed || waiting.size() + later.size() >= WAITING_MAX) {
                    why = closed ? Failure.STOPPED : Failure.TOO_MANY_REQUESTS;
                    refused.add(question);
                } else {
                    waiting.addLast(new Pending(question, deadline));
                }
            }
        }
        LeaseReply refusal = new LeaseReply.Failed(why);
        refused.forEach(question -> question.asker().told(refusal));
        pump();
    }

    /** Sends what may be sent. */
    private void pump() {
        while (true) {
            Pending next;
            synchronized (this) {
                if (closed || underWay == UNDER_WAY_MAX || waiting.isEmpty()) {
                    return;
                }
                next = waiting.removeFirst();
                underWay++;
            }
            ask(next);
        }
    }

    private void ask(Pending pending) {
        long leader = host.leader();
        if (leader == host.memberId()) {
            redirect(pending);
            return;
        }
        List<DialTarget> targets = host.membership().member(leader).map(MemberInfo::peerUrls)
                .map(PeerTargets::parse).orElse(List.of());
        long left = pending.deadlineNanos - System.nanoTime();
        if (targets.isEmpty() || left <= 0) {
            tryLater(pending);
            return;
        }
        DialTarget target = targets.get(pending.tries++ % targets.size());
        try {
            Exchange.open(network.client().dialler(), target, request(pending.question, left), new Asking(pending));
        } catch (IOException cannotBeDialled) {
            tryLater(pending);
        }
    }

    /** This member came to lead meanwhile. If it does not any more when it answers, the next one is asked. */
    private void redirect(Pending pending) {
        synchronized (this) {
            underWay--;
        }
        LeaseQuestion.Asker asker = reply -> {
            if (reply instanceof LeaseReply.NotPrimary) {
                addLater(pending);
            } else {
                pending.question.asker().told(reply);
            }
        };
        host.askLessor(List.of(pending.question.withAsker(asker)));
    }

    private static DialRequest request(LeaseQuestion question, long leftNanos) {
        long silence = Math.max(1, TimeUnit.NANOSECONDS.toMillis(leftNanos));
        HttpFields fields = HttpFields.of("content-type", "application/protobuf");
        return switch (question) {
            case LeaseQuestion.Renew(long lease, LeaseQuestion.Asker asker) -> DialRequest.post("/leases", fields,
                    whole(LeaseKeepAliveRequest.newBuilder().setID(lease).build().toByteArray()), ANSWER_BYTES_MAX,
                    silence).keepingConnection();
            case LeaseQuestion.TimeToLive(long lease, boolean keys, LeaseQuestion.Asker asker) ->
                DialRequest.post("/leases/internal", fields, whole(LeaseInternalRequest.newBuilder()
                        .setLeaseTimeToLiveRequest(LeaseTimeToLiveRequest.newBuilder().setID(lease).setKeys(keys))
                        .build().toByteArray()), ANSWER_BYTES_MAX, silence).keepingConnection();
        };
    }

    private static DialRequest.Body whole(byte[] message) {
        return new DialRequest.Body.Whole(Bytes.of(message));
    }

    /** One request to the leader. */
    private final class Asking implements DialHandler {
        private final Pending pending;
        private final Gathered body = new Gathered();
        private int status;

        Asking(Pending pending) {
            this.pending = pending;
        }

        @Override
        public void onHead(DialCall call, int answered, HttpFields headers) {
            status = answered;
        }

        @Override
        public void onBytes(DialCall call, Bytes piece) {
            body.add(piece);
        }

        @Override
        public void onEnd(DialCall call, DialEnd end) {
            LeaseReply reply = end instanceof DialEnd.Answered ? reply(pending.question, status, body.whole()) : null;
            if (reply == null) {
                tryLater(pending);
            } else {
                answer(pending, reply);
            }
        }
    }

    /** Null if it is none, and is to be asked again: the leader may have lost its office, or lag behind its own log. */
    static @Nullable LeaseReply reply(LeaseQuestion question, int status, Bytes body) {
        if (status == NOT_FOUND) {
            return new LeaseReply.Unknown();
        }
        if (status != OK) {
            return null;
        }
        try {
            return switch (question) {
                case LeaseQuestion.Renew renew -> {
                    LeaseKeepAliveResponse answer = LeaseKeepAliveResponse.parseFrom(body.toByteArray());
                    yield answer.getID() == renew.lease() ? new LeaseReply.Renewed(answer.getTTL()) : null;
                }
                case LeaseQuestion.TimeToLive asked -> {
                    LeaseTimeToLiveResponse answer = LeaseInternalResponse.parseFrom(body.toByteArray())
                            .getLeaseTimeToLiveResponse();
                    List<Bytes> keys = answer.getKeysList().stream().map(ByteString::toByteArray).map(Bytes::of)
                            .toList();
                    yield answer.getID() == asked.lease()
                            ? new LeaseReply.TimeToLive(answer.getTTL(), answer.getGrantedTTL(), keys)
                            : null;
                }
            };
        } catch (InvalidProtocolBufferException malformed) {
            return null;
        }
    }

    private void answer(Pending pending, LeaseReply reply) {
        synchronized (this) {
            underWay--;
        }
        pending.question.asker().told(reply);
        pump();
    }

    private void tryLater(Pending pending) {
        synchronized (this) {
            underWay--;
        }
        addLater(pending);
    }

    private void addLater(Pending pending) {
        synchronized (this) {
            if (!closed) {
                pending.retryNanos = System.nanoTime() + RETRY_NANOS;
                later.addLast(pending);
                notifyAll();
                return;
            }
        }
        pending.question.asker().told(new LeaseReply.Failed(Failure.STOPPED));
    }

    /** Moves what was to be tried later, and ends what has waited for too long. */
    private void retry() {
        try {
            while (true) {
                List<Pending> late = new ArrayList<>();
                synchronized (this) {
                    while (!closed && later.isEmpty() && waiting.isEmpty()) {
                        wait();
                    }
                    if (closed) {
                        return;
                    }
                    collectLate(late);
                }
                LeaseReply reply = host.leader() == 0
                        ? new LeaseReply.NoLeader()
                        : new LeaseReply.Failed(Failure.TIMEOUT);
                late.forEach(pending -> pending.question.asker().told(reply));
                pump();
                TimeUnit.NANOSECONDS.sleep(RETRY_NANOS / 2);
            }
        } catch (InterruptedException stopped) {
            // That is how it ends.
        }
    }

    private synchronized void collectLate(List<Pending> late) {
        long now = System.nanoTime();
        while (!later.isEmpty() && later.getFirst().retryNanos - now <= 0) {
            waiting.addLast(later.removeFirst());
        }
        waiting.removeIf(pending -> {
            boolean isLate = pending.deadlineNanos - now <= 0;
            if (isLate) {
                late.add(pending);
            }
            return isLate;
        });
    }

    /** Whoever waits is told that it came to nothing. */
    @Override
    public void close() {
        List<Pending> left = new ArrayList<>();
        synchronized (this) {
            closed = true;
            left.addAll(waiting);
            left.addAll(later);
            waiting.clear();
            later.clear();
        }
        retrying.interrupt();
        left.forEach(pending -> pending.question.asker().told(new LeaseReply.Failed(Failure.STOPPED)));
    }
}
