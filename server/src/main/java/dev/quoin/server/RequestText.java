package dev.quoin.server;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

import dev.quoin.base.Bytes;
import dev.quoin.member.SlowApply;
import dev.quoin.store.Command;
import dev.quoin.store.Compare;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Op;
import dev.quoin.store.Query;

/**
 * Requests as etcd's log shows them: keys as they are, of values only how long they are (etcdserverpb
 * raft_internal_stringer.go). Of users and roles nothing is shown.
 */
final class RequestText {
    private static final int KEY_CHARS_MAX = 1_024;

    private RequestText() {}

    /** An entry that was applied. */
    static String of(SlowApply slow) {
        return "header:<ID:" + Long.toUnsignedString(slow.id()) + " > " + of(slow.command());
    }

    static String of(Command command) {
        return switch (command) {
            case Command.Put put -> "put:<" + put(put) + ">";
            case Command.DeleteRange delete -> "delete_range:<" + range(delete.range()) + ">";
            case Command.Txn txn -> "txn:<" + txn(txn) + ">";
            case Command.Compact compact -> "compaction:<revision:" + compact.revision() + " >";
            case Command.LeaseGrant grant -> "lease_grant:<TTL:" + grant.ttl() + " ID:" + grant.id() + " >";
            case Command.LeaseRevoke revoke -> "lease_revoke:<ID:" + revoke.id() + " >";
            case Command.LeaseCheckpoint checkpoint ->
                "lease_checkpoint:<checkpoints:" + checkpoint.remaining().size() + " >";
            case Command.Alarm alarm -> "alarm:<action:" + alarm.action() + " memberID:"
                    + Long.toUnsignedString(alarm.memberId()) + " alarm:" + alarm.type() + " >";
            case Command.Auth auth -> "auth:<>";
            case Command.Nothing nothing -> "";
        };
    }

    static String put(Command.Put put) {
        StringBuilder text = new StringBuilder("key:").append(quoted(put.key())).append(' ');
        if (put.value().length() > 0) {
            text.append("value_size:").append(put.value().length()).append(' ');
        }
        if (put.lease() != 0) {
            text.append("lease:").append(put.lease()).append(' ');
        }
        return text.append(put.prevKv() ? "prev_kv:true " : "").append(put.ignoreValue() ? "ignore_value:true " : "")
                .append(put.ignoreLease() ? "ignore_lease:true " : "").toString();
    }

    static String range(KeyRange range) {
        return "key:" + quoted(range.key()) + " "
                + (range.rangeEnd().isEmpty() ? "" : "range_end:" + quoted(range.rangeEnd()) + " ");
    }

    static String query(Query query) {
        StringBuilder text = new StringBuilder(range(query.range()));
        if (query.limit() != 0) {
            text.append("limit:").append(query.limit()).append(' ');
        }
        if (query.revision() != 0) {
            text.append("revision:").append(query.revision()).append(' ');
        }
        return text.append(query.serializable() ? "serializable:true " : "").append(query.keysOnly() ? "keys_only:true "
                : "").append(query.countOnly() ? "count_only:true " : "").toString();
    }

    static String txn(Command.Txn txn) {
        return "compare:<" + txn.compares().stream().map(RequestText::compare).collect(Collectors.joining(" "))
                + "> success:<" + ops(txn.success()) + "> failure:<" + ops(txn.failure()) + ">";
    }

    private static String compare(Compare compare) {
        return "target:" + compare.target().name() + " " + range(compare.range());
    }

    private static String ops(List<Op> ops) {
        return ops.stream().map(RequestText::op).collect(Collectors.joining(" "));
    }

    private static String op(Op op) {
        return switch (op) {
            case Op.Range(Query query) -> "request_range:<" + query(query) + ">";
            case Op.Put(Command.Put put) -> "request_put:<" + put(put) + ">";
            case Op.Delete(Command.DeleteRange delete) -> "request_delete_range:<" + range(delete.range()) + ">";
            case Op.Txn(Command.Txn txn) -> "request_txn:<" + txn(txn) + ">";
            case Op.Unset() -> "";
        };
    }

    /** As protobuf's text form: what is not printable in octal. A key that is very long is cut. */
    private static String quoted(Bytes bytes) {
        StringBuilder text = new StringBuilder("\"");
        int shown = Math.min(bytes.length(), KEY_CHARS_MAX);
        for (int at = 0; at < shown; at++) {
            int one = bytes.at(at) & 0xff;
            switch (one) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                default -> {
                    if (one >= ' ' && one < 0x7f) {
                        text.append((char) one);
                    } else {
                        text.append(String.format(Locale.ROOT, "\\%03o", one));
                    }
                }
            }
        }
        return text.append(shown < bytes.length() ? "\"..." : "\"").toString();
    }
}
