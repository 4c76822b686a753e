package dev.quoin.server;

import java.util.ArrayDeque;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.base.ProtoWriter;
import dev.quoin.member.Failure;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.LeaseReply;
import dev.quoin.member.Member;
import dev.quoin.net.Call;
import dev.quoin.net.End;
import dev.quoin.net.Handler;
import dev.quoin.net.Status;
import dev.quoin.store.Caller;
import dev.quoin.store.Refusal;

/**
 * Lease/LeaseKeepAlive: each message of a stream renews a lease, and is answered when that is done. The renewals of one turn
 * of an event loop are handed over at its end; none goes through the log.
 *
 * <p>A lease that is not there is no error: it is answered with a TTL of 0, and the stream goes on. What fails ends the
 * stream, as in etcd. A stream is answered in the order in which it was asked, since some clients count on it; so one
 * renewal that waits, for its lease to end or for a leader, holds up those behind it on the stream, and no others.
 *
 * <p>While access is controlled, who renews must prove each time to be somebody, and may do so only if all that is attached to the
 * lease is theirs to write (v3_server.go checkLeaseRenew); else the stream ends.
 *
 * <p>Field numbers: LeaseKeepAliveRequest 1 ID; LeaseKeepAliveResponse 1 header, 2 ID, 3 TTL.
 */
final class KeepAlives implements Handler {
    private static final int ID = 1 << 3 | ProtoWriter.VARINT;

    private final Member member;
    private final Access access;
    private final LeaseDesk desk;
    private final Answers answers;

    KeepAlives(Member member, Access access, LeaseDesk desk, Answers answers) {
        this.member = member;
        this.access = access;
        this.desk = desk;
        this.answers = answers;
    }

    /** One renewal that was asked for. */
    private static final class Asked {
        private final Bytes header;
        private final long lease;
        private @Nullable LeaseReply reply;

        Asked(Bytes header, long lease) {
            this.header = header;
            this.lease = lease;
        }
    }

    /** What is known of a stream; of its loop. */
    private static final class Stream {
        /** What has not been answered, as it came: no more than the client may send ahead. */
        private final ArrayDeque<Asked> underWay = new ArrayDeque<>();
        /** Answers that the client was sent while it had no room: it may ask as much again when it has. */
        private int withheld;
        private boolean isHalfClosed;
    }

    @Override
    public void onOpen(Call call) {
        call.attach(new Stream());
    }

    private static @Nullable Stream stream(Call call) {
        return call.attachment() instanceof Stream stream ? stream : null;
    }

    @Override
    public void onMessage(Call call, Bytes message) {
        Stream stream = stream(call);
        if (stream == null) {
            return;
        }
        long lease;
        try {
            lease = lease(message);
        } catch (Malformed malformed) {
            call.finish(Errors.unreadableInStream(String.valueOf(malformed.getMessage())));
            return;
        }
        // Before the renewal: nobody must be told that it was renewed at a revision at which it was revoked already.
        Asked asked = new Asked(answers.header(member.view().revision()), lease);
        stream.underWay.add(asked);
        LeaseQuestion question = new LeaseQuestion.Renew(lease,
                reply -> call.loop().execute(() -> told(call, stream, asked, reply)));
        access.decide(call, Access.Word.OF_THE_MEMBER, Access.SOMEBODY, (view, caller) -> {
            if (view.auth().checkRoot(caller) == null) {
                Turn.of(call.loop()).ask(question);
            } else {
                askIfWritable(call, caller, question);
            }
        });
    }

    private void askIfWritable(Call call, Caller caller, LeaseQuestion question) {
        member.leaseKeys(question.lease(), keys -> call.loop().execute(() -> {
            Refusal refusal = member.view().auth().checkLeaseWrite(caller, keys);
            if (refusal == null) {
                desk.ask(List.of(question));
            } else {
                call.finish(Errors.of(refusal));
            }
        }));
    }

    private static long lease(Bytes message) {
        long lease = 0;
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (tag == ID) {
                lease = reader.varint(tag);
            } else {
                reader.skip(tag);
            }
        }
        return lease;
    }

    private static void told(Call call, Stream stream, Asked asked, LeaseReply reply) {
        asked.reply = reply;
        for (Asked first = stream.underWay.peek(); first != null; first = stream.underWay.peek()) {
            LeaseReply due = first.reply;
            if (due == null) {
                return;
            }
            stream.underWay.remove();
            answer(call, stream, first, due);
        }
    }

    private static void answer(Call call, Stream stream, Asked asked, LeaseReply reply) {
        switch (reply) {
            case LeaseReply.Renewed(long ttlSeconds) -> send(call, stream, asked, ttlSeconds);
            case LeaseReply.Unknown() -> send(call, stream, asked, 0);
            case LeaseReply.NotPrimary() -> call.finish(Errors.NOT_PRIMARY);
            case LeaseReply.NoLeader() -> call.finish(Errors.NO_LEADER);
            case LeaseReply.ApplyingTooLong() -> call.finish(Errors.APPLYING_TOO_LONG);
            case LeaseReply.Failed(Failure failure) -> call.finish(Errors.of(failure));
            case LeaseReply.TimeToLive other -> throw new IllegalStateException("nobody asked for that");
        }
    }

    private static void send(Call call, Stream stream, Asked asked, long ttlSeconds) {
        ProtoWriter response = new ProtoWriter(96);
        response.bytesField(1, asked.header);
        response.varintFieldIfSet(2, asked.lease);
        response.varintFieldIfSet(3, ttlSeconds);
        call.send(Bytes.of(response.buffer(), 0, response.size()));
        if (call.writable()) {
            call.request(1);
        } else {
            stream.withheld++;
        }
        endIfAsked(call, stream);
    }

    private static void endIfAsked(Call call, Stream stream) {
        if (stream.isHalfClosed && stream.underWay.isEmpty()) {
            call.finish(Status.OK);
        }
    }

    @Override
    public void onHalfClose(Call call) {
        Stream stream = stream(call);
        if (stream != null) {
            stream.isHalfClosed = true;
            endIfAsked(call, stream);
        }
    }

    @Override
    public void onWritable(Call call) {
        Stream stream = stream(call);
        if (stream != null && stream.withheld > 0) {
            int more = stream.withheld;
            stream.withheld = 0;
            call.request(more);
        }
    }

    @Override
    public void onEnd(Call call, End why) {
        call.attach(null);
    }
}
