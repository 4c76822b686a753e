package dev.quoin.sim;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.store.Outcome;
import dev.quoin.store.Refusal;

/** What an answer must be. Revisions inside a transaction are left out. */
sealed interface Expected {
    record Put(long revision, @Nullable Kv prev) implements Expected {}

    record Deleted(long revision, long count, List<Kv> prevs) implements Expected {}

    record Ranged(List<Kv> kvs) implements Expected {}

    record Txned(long revision, boolean succeeded, List<Expected> responses) implements Expected {}

    record Compacted(long revision) implements Expected {}

    record Granted(long revision, long lease, long ttlSeconds) implements Expected {}

    record Revoked(long revision) implements Expected {}

    record Refused(Refusal reason) implements Expected {}

    /** The same of what a member answered; inside a transaction its revision is left out. */
    static Expected of(Outcome outcome, boolean isInside) {
        return switch (outcome) {
            case Outcome.Put(long revision, Bytes prev) ->
                new Put(isInside ? 0 : revision, prev == null ? null : Kv.read(prev));
            case Outcome.Deleted(long revision, long count, List<Bytes> prevs) ->
                new Deleted(isInside ? 0 : revision, count, kvs(prevs));
            case Outcome.Ranged(long revision, List<Bytes> kvs, long count, boolean more) -> {
                Violation.check(!more && count == kvs.size(), "%d of %d keys, more: %s", kvs.size(), count, more);
                yield new Ranged(kvs(kvs));
            }
            case Outcome.Txned(long revision, boolean succeeded, List<Outcome> responses) -> {
                List<Expected> each = new ArrayList<>();
                responses.forEach(response -> each.add(of(response, true)));
                yield new Txned(isInside ? 0 : revision, succeeded, each);
            }
            case Outcome.Compacted(long revision) -> new Compacted(revision);
            case Outcome.Granted(long revision, long lease, long ttl) -> new Granted(revision, lease, ttl);
            case Outcome.Revoked(long revision) -> new Revoked(revision);
            case Outcome.Refused(Refusal reason) -> new Refused(reason);
            default -> throw new Violation("an answer of another kind: " + outcome);
        };
    }

    private static List<Kv> kvs(List<Bytes> encoded) {
        List<Kv> kvs = new ArrayList<>(encoded.size());
        encoded.forEach(kv -> kvs.add(Kv.read(kv)));
        return kvs;
    }
}
