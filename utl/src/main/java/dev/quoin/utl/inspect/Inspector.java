package dev.quoin.utl.inspect;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Locale;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.member.StartRefused;
import dev.quoin.member.StoppedMember;
import dev.quoin.store.KeyRange;
import dev.quoin.store.KeyValues.KeyValue;
import dev.quoin.store.View;
import dev.quoin.utl.Refused;
import dev.quoin.utl.StoredKeys;

/** Does what an {@link Order} says, with one value in memory at a time. */
final class Inspector {
    private static final int LINES_UNASKED = 512;

    private final Disk disk;
    private final PrintStream out;
    private final PrintStream err;
    private boolean isWhole = true;
    private long printed;

    Inspector(Disk disk, PrintStream out, PrintStream err) {
        this.disk = disk;
        this.out = out;
        this.err = err;
    }

    /**
     * Does it.
     *
     * @return false if two things differ that were compared, or not all could be read
     */
    boolean run(Order order) throws Refused {
        try (StoredKeys keys = open(order.source(), order.log())) {
            return switch (order.verb()) {
                case SUMMARY -> summary(order.source(), keys);
                case LIST -> list(order, keys.view());
                case GET -> get(order, keys.view());
                case DIFF -> diff(order, keys.view());
                case EXPORT -> export(order, keys.view());
            };
        }
    }

    /** Of a directory that no member could start on, what can be had all the same; that it is no more is told. */
    private StoredKeys open(Path path, @Nullable Path log) throws Refused {
        try {
            return StoredKeys.open(disk, path, log, true);
        } catch (Damaged | StartRefused unusable) {
            if (!StoredKeys.mayBeRescued(disk, path)) {
                throw unusable;
            }
            StoredKeys rescued = StoredKeys.rescue(disk, path);
            isWhole = false;
            err.println("quoin inspect: " + unusable.getMessage() + "\nThis is what the ledger has, up to revision "
                    + rescued.view().revision() + "; quoin doctor says what is wrong.");
            return rescued;
        }
    }

    /** Whether somebody still reads what is printed: not when a pager was left. To ask costs a system call. */
    private boolean isWanted() {
        printed++;
        return printed % LINES_UNASKED != 0 || !out.checkError();
    }

    private boolean summary(Path source, StoredKeys keys) {
        View view = keys.view();
        out.println(source + ": " + keys.kind().title());
        out.println("revision:   " + view.revision());
        out.println("compacted:  " + (view.compactedRevision() < 0 ? "never" : view.compactedRevision()));
        out.println("keys:       " + view.keyCount());
        String members = keys.membership().members().stream().map(member -> Long.toHexString(member.id())
                + (member.name().isEmpty() ? "" : " (" + member.name() + ")")).collect(Collectors.joining(", "));
        out.println("members:    " + (members.isEmpty() ? "none are named" : members));
        out.println("version:    " + keys.membership().clusterVersion());
        StoppedMember member = keys.member();
        if (member != null) {
            out.println("member:     " + Long.toHexString(member.memberId()) + " of cluster "
                    + Long.toHexString(member.clusterId()));
            out.println("applied:    index " + member.appliedIndex() + ", the log goes on to " + member.lastIndex());
        }
        return isWhole;
    }

    private boolean list(Order order, View view) throws Refused {
        KeyPages pages = pages(order, view);
        for (KeyValue key = pages.next(); key != null && isWanted(); key = pages.next()) {
            KeyValue whole = read(pages, key.key());
            String bytes = whole == null ? "damaged" : whole.value().length() + " B";
            String kind = whole == null ? "" : ValueText.kind(whole.value());
            out.println(String.format(Locale.ROOT, "%10d  v%-5d %10s  %s%s", key.modRevision(), key.version(), bytes,
                    ValueText.key(key.key()), kind.isEmpty() ? "" : "  (" + kind + ")"));
        }
        return isWhole;
    }

    private static KeyPages pages(Order order, View view) {
        return new KeyPages(view, KeyPages.beginningWith(order.key()), order.revision());
    }

    /** Null if it is damaged, which is told. */
    private @Nullable KeyValue read(KeyPages pages, Bytes key) throws Refused {
        try {
            return pages.read(key);
        } catch (Damaged damage) {
            isWhole = false;
            err.println("quoin inspect: " + ValueText.key(key) + ": " + damage.getMessage());
            return null;
        }
    }

    private boolean get(Order order, View view) throws Refused {
        KeyValue found = new KeyPages(view, KeyRange.single(order.key()), order.revision()).read(order.key());
        if (order.isRaw()) {
            out.write(found.value().array(), found.value().offset(), found.value().length());
            return isWhole;
        }
        out.println("key:             " + ValueText.key(found.key()));
        out.println("create revision: " + found.createRevision());
        out.println("mod revision:    " + found.modRevision());
        out.println("version:         " + found.version());
        out.println("lease:           " + (found.lease() == 0 ? "none" : Long.toHexString(found.lease())));
        out.println("value:           " + found.value().length() + " bytes");
        out.print(ValueText.of(found.value()));
        return isWhole;
    }

    private boolean export(Order order, View view) throws Refused {
        KeyPages pages = pages(order, view);
        for (KeyValue key = pages.next(); key != null && isWanted(); key = pages.next()) {
            KeyValue whole = read(pages, key.key());
            if (whole != null) {
                out.println("{\"key\":\"" + base64(whole.key()) + "\",\"create_revision\":" + whole.createRevision()
                        + ",\"mod_revision\":" + whole.modRevision() + ",\"version\":" + whole.version()
                        + ",\"value\":\""
                        + base64(whole.value()) + "\",\"lease\":" + whole.lease() + "}");
            }
        }
        return isWhole;
    }

    private static String base64(Bytes bytes) {
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    // ---- comparing

    private boolean diff(Order order, View view) throws Refused {
        Path other = order.other();
        KeyRange range = KeyPages.beginningWith(order.key());
        if (other == null) {
            return compare(new KeyPages(view, range, order.from()), new KeyPages(view, range, order.revision()), true);
        }
        try (StoredKeys others = open(other, null)) {
            return compare(new KeyPages(view, range, order.revision()),
                    new KeyPages(others.view(), range, order.revision()), false);
        }
    }

    /**
     * Both in the order of their keys.
     *
     * @param isOneHistory whether a key that has the same mod revision on both sides is the same
     */
    private boolean compare(KeyPages left, KeyPages right, boolean isOneHistory) throws Refused {
        boolean isSame = true;
        KeyValue one = left.next();
        KeyValue other = right.next();
        while ((one != null || other != null) && isWanted()) {
            int order = one == null ? 1 : other == null ? -1 : one.key().compareTo(other.key());
            if (order < 0 && one != null) {
                out.println("- " + ValueText.key(one.key()));
                isSame = false;
                one = left.next();
            } else if (order > 0 && other != null) {
                out.println("+ " + ValueText.key(other.key()));
                isSame = false;
                other = right.next();
            } else if (one != null && other != null) {
                boolean isKnownSame = isOneHistory && one.modRevision() == other.modRevision();
                if (!isKnownSame && differs(left, right, one.key())) {
                    out.println("~ " + ValueText.key(one.key()) + "  mod revision " + one.modRevision() + " and "
                            + other.modRevision());
                    isSame = false;
                }
                one = left.next();
                other = right.next();
            }
        }
        return isSame && isWhole;
    }

    /** In value or lease. */
    private boolean differs(KeyPages left, KeyPages right, Bytes key) throws Refused {
        KeyValue one = read(left, key);
        KeyValue other = read(right, key);
        return one == null || other == null || !one.value().equals(other.value()) || one.lease() != other.lease();
    }
}
