package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.member.Requests;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.Records;
import dev.quoin.store.Refusal;
import dev.quoin.store.RequestCheck;
import dev.quoin.store.Store;

/**
 * Requests of the KV service, as the first byte chooses, all the way into a store: read by hand, checked, looked at for what they
 * touch, applied. What the check lets through must be done without an exception.
 */
public final class KvRequestFuzz {
    private static final int OPS_MAX = 128;
    private static final int KINDS = 5;
    private static final Caller SOMEBODY = new Caller("u", 1);

    private KvRequestFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length == 0) {
            return;
        }
        Bytes message = Bytes.of(input, 1, input.length - 1);
        try {
            switch ((input[0] & 0xff) % KINDS) {
                case 0 -> {
                    Command.Put put = Requests.put(message);
                    apply(put, RequestCheck.put(put));
                }
                case 1 -> {
                    Command.DeleteRange delete = Requests.deleteRange(message);
                    apply(delete, RequestCheck.delete(delete));
                }
                case 2 -> {
                    Command.Txn txn = Requests.txn(message);
                    Invariant.check(txn.cost() >= 0, "%s costs %d", txn, txn.cost());
                    apply(txn, RequestCheck.txn(txn, OPS_MAX));
                }
                case 3 -> apply(Requests.compaction(message), null);
                default -> {
                    Query query = Requests.range(message);
                    if (RequestCheck.range(query) == null) {
                        store().view().range(query);
                    }
                }
            }
        } catch (Malformed refused) {
            return; // as what it is not
        }
    }

    private static void apply(Command command, @Nullable Refusal refusal) {
        Store store = store();
        store.view().auth().check(SOMEBODY, command, lease -> List.of());
        if (refusal != null) {
            return;
        }
        Outcome outcome = store.apply(command, SOMEBODY);
        Invariant.check(!(outcome instanceof Outcome.Unreadable), "%s: %s", command, outcome);
        store.publish();
    }

    /** With a few keys, one of which was there before. */
    private static Store store() {
        List<Bytes> payloads = new ArrayList<>();
        Store store = new Store(new Records() {
            @Override
            public long append(long main, int sub, int kind, Bytes payload) {
                payloads.add(payload);
                return payloads.size() - 1L;
            }

            @Override
            public Bytes read(long position) {
                return payloads.get((int) position);
            }

            @Override
            public int length(long position) {
                return payloads.get((int) position).length();
            }
        }, 2);
        store.restored();
        for (String key : List.of("a", "b", "c", "b")) {
            store.apply(Command.Put.of(Bytes.utf8(key), Bytes.utf8("value")), Caller.NONE);
        }
        store.publish();
        return store;
    }
}
