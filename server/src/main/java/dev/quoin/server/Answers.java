package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoWriter;
import dev.quoin.member.watch.WatchMessage;
import dev.quoin.store.Outcome;

/**
 * Outcomes as the messages that clients receive (etcdserverpb, rpc.proto). Stored KeyValues are passed on as the bytes
 * they are, as pieces of the answer: large ones are not copied together here. What may be a list is answered by {@link
 * ListAnswers}.
 *
 * <p>Field numbers: PutResponse 1 header, 2 prev_kv; RangeResponse 1 header, 2 kvs, 3 more, 4 count; DeleteRangeResponse
 * 1 header, 2 deleted, 3 prev_kvs; TxnResponse 1 header, 2 succeeded, 3 responses; ResponseOp 1 range, 2 put, 3 delete, 4
 * txn.
 */
final class Answers {
    private static final int FIELD_HEADER = 1;

    private final long clusterId;
    private final long memberId;
    private final LongSupplier term;

    /**
     * Answers of one member.
     *
     * @param term the term it is in, asked for each answer
     */
    Answers(long clusterId, long memberId, LongSupplier term) {
        this.clusterId = clusterId;
        this.memberId = memberId;
        this.term = term;
    }

    /** The pieces of the answer to a request of its own, which has a full header. */
    Bytes[] of(Outcome outcome) {
        Pieces pieces = new Pieces();
        body(pieces, header(revision(outcome)), outcome);
        return pieces.toArray();
    }

    private static void body(Pieces pieces, Bytes header, Outcome outcome) {
        pieces.writer.bytesField(FIELD_HEADER, header);
        switch (outcome) {
            case Outcome.Put put -> {
                if (put.prev() != null) {
                    pieces.message(2, put.prev());
                }
            }
            case Outcome.Ranged ranged -> {
                ranged.kvs().forEach(kv -> pieces.message(2, kv));
                pieces.writer.varintFieldIfSet(3, ranged.more() ? 1 : 0);
                pieces.writer.varintFieldIfSet(4, ranged.count());
            }
            case Outcome.Deleted deleted -> {
                pieces.writer.varintFieldIfSet(2, deleted.count());
                deleted.prevs().forEach(kv -> pieces.message(3, kv));
            }
            case Outcome.Txned txned -> {
                pieces.writer.varintFieldIfSet(2, txned.succeeded() ? 1 : 0);
                txned.responses().forEach(response -> pieces.message(3, responseOp(response)));
            }
            case Outcome.Granted granted -> {
                pieces.writer.varintFieldIfSet(2, granted.id());
                pieces.writer.varintFieldIfSet(3, granted.ttl());
            }
            case Outcome.Alarms alarms -> alarms.alarms().forEach(alarm -> pieces.message(2, alarm.encode()));
            case Outcome.Revoked revoked -> {}
            case Outcome.Compacted compacted -> {}
            case Outcome.Auth auth -> throw Invariant.violation("no service asks about users and roles: %s", auth);
            case Outcome.Nothing nothing -> {}
            case Outcome.Refused refused -> throw Invariant.violation("a refusal is not an answer: %s", refused);
            case Outcome.Unreadable lost -> throw Invariant.violation("what is lost is not an answer: %s", lost);
        }
    }

    /** A step of a transaction: its header has the revision only, and one within another not even that. */
    private static Bytes[] responseOp(Outcome response) {
        Pieces inner = new Pieces();
        body(inner, stepHeader(revision(response)), response);
        Pieces op = new Pieces();
        op.message(switch (response) {
            case Outcome.Ranged ranged -> 1;
            case Outcome.Put put -> 2;
            case Outcome.Deleted deleted -> 3;
            case Outcome.Txned txned -> 4;
            default -> throw Invariant.violation("no step of a transaction has the outcome %s", response);
        }, inner.toArray());
        return op.toArray();
    }

    /** The header of a step of a transaction: the revision, or nothing if that is 0. */
    static Bytes stepHeader(long revision) {
        ProtoWriter header = new ProtoWriter(16);
        header.varintFieldIfSet(3, revision);
        return Bytes.of(header.toByteArray());
    }

    /**
     * A WatchResponse up to its events, which follow as they are: 1 header, 2 watch_id, 3 created, 4 canceled, 5
     * compact_revision, 6 cancel_reason, 7 fragment, 11 events.
     */
    Bytes watchHead(WatchMessage message) {
        ProtoWriter head = new ProtoWriter(64);
        head.bytesField(FIELD_HEADER, header(message.revision()));
        head.varintFieldIfSet(2, message.watchId());
        head.varintFieldIfSet(3, message.created() ? 1 : 0);
        head.varintFieldIfSet(4, message.canceled() ? 1 : 0);
        head.varintFieldIfSet(5, message.compactRevision());
        head.bytesFieldIfSet(6, Bytes.utf8(message.reason()));
        head.varintFieldIfSet(7, message.isPart() ? 1 : 0);
        return Bytes.of(head.buffer(), 0, head.size());
    }

    /** ResponseHeader: 1 cluster_id, 2 member_id, 3 revision, 4 raft_term. */
    Bytes header(long revision) {
        ProtoWriter header = new ProtoWriter(48);
        header.varintFieldIfSet(1, clusterId);
        header.varintFieldIfSet(2, memberId);
        header.varintFieldIfSet(3, revision);
        header.varintFieldIfSet(4, term.getAsLong());
        return Bytes.of(header.buffer(), 0, header.size());
    }

    private static long revision(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Put put -> put.revision();
            case Outcome.Ranged ranged -> ranged.revision();
            case Outcome.Deleted deleted -> deleted.revision();
            case Outcome.Txned txned -> txned.revision();
            case Outcome.Granted granted -> granted.revision();
            case Outcome.Revoked revoked -> revoked.revision();
            case Outcome.Alarms alarms -> alarms.revision();
            case Outcome.Compacted compacted -> compacted.revision();
            case Outcome.Auth auth -> auth.revision();
            case Outcome.Nothing nothing -> nothing.revision();
            case Outcome.Refused refused -> 0;
            case Outcome.Unreadable lost -> lost.revision();
        };
    }

    /** A message in the making: what is written here, between ranges that are passed on as they are. */
    private static final class Pieces {
        /** A KeyValue up to this size is copied: a piece of its own would cost more. */
        private static final int COPIED_MAX = 1_024;
        private static final int WRITER_BYTES = 512;

        private final List<Bytes> done = new ArrayList<>();
        private ProtoWriter writer = new ProtoWriter(WRITER_BYTES);

        void message(int field, Bytes... parts) {
            long length = 0;
            for (Bytes part : parts) {
                length += part.length();
            }
            writer.tag(field, ProtoWriter.LENGTH_DELIMITED);
            writer.varint(length);
            for (Bytes part : parts) {
                if (part.length() <= COPIED_MAX) {
                    writer.raw(part.array(), part.offset(), part.length());
                } else {
                    cut();
                    done.add(part);
                }
            }
        }

        private void cut() {
            if (writer.size() > 0) {
                done.add(Bytes.of(writer.buffer(), 0, writer.size()));
                writer = new ProtoWriter(WRITER_BYTES);
            }
        }

        Bytes[] toArray() {
            cut();
            return done.toArray(Bytes[]::new);
        }
    }
}
