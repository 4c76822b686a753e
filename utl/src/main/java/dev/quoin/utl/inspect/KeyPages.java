package dev.quoin.utl.inspect;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.store.KeyRange;
import dev.quoin.store.KeyValues;
import dev.quoin.store.KeyValues.KeyValue;
import dev.quoin.store.Plan;
import dev.quoin.store.Query;
import dev.quoin.store.View;
import dev.quoin.utl.Refused;

/**
 * The keys of a range as they were at a revision, one after the other in their order. Which keys there are the index tells; a
 * record is read when it is asked for, so damage in one hides no other. Holds places of a thousand keys.
 */
final class KeyPages {
    private static final int PAGE = 1_000;
    private static final Bytes ZERO_BYTE = Bytes.of(new byte[1]);

    private final View view;
    private final long revision;
    private final Bytes end;
    private Bytes from;
    private Plan.@Nullable Found page;
    private int next;

    /** @param revision 0 for the newest */
    KeyPages(View view, KeyRange range, long revision) {
        this.view = view;
        this.revision = revision;
        this.from = range.key();
        this.end = range.rangeEnd();
    }

    /** All keys that begin so; all there are, if it is empty. */
    static KeyRange beginningWith(Bytes prefix) {
        byte[] bytes = prefix.toByteArray();
        int last = bytes.length - 1;
        while (last >= 0 && bytes[last] == (byte) 0xff) {
            last--;
        }
        if (last < 0) {
            return KeyRange.from(prefix.isEmpty() ? ZERO_BYTE : prefix);
        }
        byte[] behind = Arrays.copyOf(bytes, last + 1);
        behind[last]++;
        return new KeyRange(prefix, Bytes.of(behind));
    }

    /**
     * The next one, without value and lease; null if there is none.
     *
     * @throws Refused if the revision is compacted or not there yet
     */
    @Nullable
    KeyValue next() throws Refused {
        Plan.Found current = page;
        if (current == null || (next == current.size() && current.more())) {
            current = plan(Query.of(new KeyRange(from, end)).withKeysOnly().withLimit(PAGE));
            page = current;
            next = 0;
        }
        if (next == current.size()) {
            return null;
        }
        KeyValue found = KeyValues.decode(current.kv(next));
        next++;
        from = behind(found.key());
        return found;
    }

    /**
     * All of a key.
     *
     * @throws Refused if it is not there; or for the revision, as {@link #next}
     * @throws dev.quoin.disk.Damaged if its record is not what was written
     */
    KeyValue read(Bytes key) throws Refused {
        Plan.Found found = plan(Query.get(key));
        if (found.size() == 0) {
            throw new Refused("there is no key " + ValueText.key(key));
        }
        return KeyValues.decode(found.kv(0));
    }

    private Plan.Found plan(Query query) throws Refused {
        return switch (view.plan(query.withRevision(revision))) {
            case Plan.Found found -> found;
            case Plan.Refused _ -> throw new Refused("revision " + revision + " cannot be read: the newest is "
                    + view.revision() + (view.compactedRevision() > 0
                            ? ", the oldest " + view.compactedRevision() + ", to which it was compacted"
                            : ""));
        };
    }

    /** The smallest key that is larger. */
    private static Bytes behind(Bytes key) {
        byte[] bytes = new byte[key.length() + 1];
        key.copyTo(bytes, 0);
        return Bytes.of(bytes);
    }
}
