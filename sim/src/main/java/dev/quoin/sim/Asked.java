package dev.quoin.sim;

import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.member.Requests;

/** A request of a client, as a value and as the bytes that the client would send. */
sealed interface Asked {
    /** A {@code lease} of 0 is none. */
    record Put(String key, String value, boolean prev, long lease) implements Asked {}

    /** An empty {@code end} is for one key. */
    record Delete(String key, String end, boolean prev) implements Asked {}

    record Range(String key, String end) implements Asked {}

    record Txn(List<Condition> conditions, List<Asked> then, List<Asked> otherwise) implements Asked {}

    record Compact(long revision) implements Asked {}

    record Grant(long lease, long ttlSeconds) implements Asked {}

    record Revoke(long lease) implements Asked {}

    /** What it is compared with is a number, or of {@code Target.VALUE} the text. */
    record Condition(String key, Target target, Relation relation, long than, String thanText) {}

    /** Numbers: etcdserverpb.Compare.CompareTarget. */
    enum Target {
        VERSION(0),
        CREATE(1),
        MOD(2),
        VALUE(3);

        private final int number;

        Target(int number) {
            this.number = number;
        }
    }

    /** Numbers: etcdserverpb.Compare.CompareResult. */
    enum Relation {
        EQUAL(0),
        GREATER(1),
        LESS(2),
        NOT_EQUAL(3);

        private final int number;

        Relation(int number) {
            this.number = number;
        }
    }

    default Requests.Kind kind() {
        return switch (this) {
            case Put put -> Requests.Kind.PUT;
            case Delete delete -> Requests.Kind.DELETE_RANGE;
            case Txn txn -> Requests.Kind.TXN;
            case Compact compact -> Requests.Kind.COMPACTION;
            case Grant grant -> Requests.Kind.LEASE_GRANT;
            case Revoke revoke -> Requests.Kind.LEASE_REVOKE;
            case Range range -> throw new IllegalStateException("a range is not written to the log");
        };
    }

    default Bytes encode() {
        ProtoWriter to = new ProtoWriter(64);
        switch (this) {
            case Put(String key, String value, boolean prev, long lease) -> {
                to.bytesField(1, Bytes.utf8(key));
                to.bytesField(2, Bytes.utf8(value));
                to.varintFieldIfSet(3, lease);
                to.varintFieldIfSet(4, prev ? 1 : 0);
            }
            case Delete(String key, String end, boolean prev) -> {
                to.bytesField(1, Bytes.utf8(key));
                to.bytesFieldIfSet(2, Bytes.utf8(end));
                to.varintFieldIfSet(3, prev ? 1 : 0);
            }
            case Range(String key, String end) -> {
                to.bytesField(1, Bytes.utf8(key));
                to.bytesFieldIfSet(2, Bytes.utf8(end));
            }
            case Txn(List<Condition> conditions, List<Asked> then, List<Asked> otherwise) -> {
                conditions.forEach(condition -> to.bytesField(1, encode(condition)));
                then.forEach(step -> to.bytesField(2, step.encodeAsStep()));
                otherwise.forEach(step -> to.bytesField(3, step.encodeAsStep()));
            }
            case Compact(long revision) -> to.varintField(1, revision);
            case Grant(long lease, long ttlSeconds) -> {
                to.varintField(1, ttlSeconds);
                to.varintField(2, lease);
            }
            case Revoke(long lease) -> to.varintField(1, lease);
        }
        return Bytes.of(to.toByteArray());
    }

    private Bytes encodeAsStep() {
        int field = switch (this) {
            case Range range -> 1;
            case Put put -> 2;
            case Delete delete -> 3;
            case Txn txn -> 4;
            case Compact _,Grant _,Revoke _ -> throw new IllegalStateException("no step of a transaction");
        };
        ProtoWriter to = new ProtoWriter(64);
        to.bytesField(field, encode());
        return Bytes.of(to.toByteArray());
    }

    private static Bytes encode(Condition condition) {
        ProtoWriter to = new ProtoWriter(32);
        to.varintFieldIfSet(1, condition.relation.number);
        to.varintFieldIfSet(2, condition.target.number);
        to.bytesField(3, Bytes.utf8(condition.key));
        switch (condition.target) {
            case VERSION -> to.varintField(4, condition.than);
            case CREATE -> to.varintField(5, condition.than);
            case MOD -> to.varintField(6, condition.than);
            case VALUE -> to.bytesField(7, Bytes.utf8(condition.thanText));
        }
        return Bytes.of(to.toByteArray());
    }
}
