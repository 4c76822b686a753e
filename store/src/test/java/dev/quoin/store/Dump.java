package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** Everything a store knows, as lines of text; and what of an outcome does not depend on anybody listening. */
final class Dump {
    private Dump() {}

    static void assertSame(Store actual, Store expected, String what) {
        actual.publish();
        expected.publish();
        assertThat(actual.view().revision()).as(what).isEqualTo(expected.view().revision());
        assertThat(actual.view().compactedRevision()).as(what).isEqualTo(expected.view().compactedRevision());
        assertThat(actual.view().keyCount()).as(what).isEqualTo(expected.view().keyCount());
        long compacted = expected.view().compactedRevision();
        assertThat(of(actual.view().index(), compacted)).as(what).isEqualTo(of(expected.view().index(), compacted));
        assertThat(actual.view().alarms()).as(what).isEqualTo(expected.view().alarms());
        assertThat(actual.leases()).as(what).isEqualTo(expected.leases());
        for (Lease lease : expected.leases()) {
            assertThat(actual.leaseKeys(lease.id())).as(what).isEqualTo(expected.leaseKeys(lease.id()));
        }
        for (Bucket bucket : Bucket.values()) {
            assertThat(actual.bucketScan(bucket)).as(what).isEqualTo(expected.bucketScan(bucket));
        }
    }

    static List<String> of(KeyIndex index) {
        return of(index, -1);
    }

    /** As if all had been taken out that a compaction leaves over. */
    private static List<String> of(KeyIndex index, long compacted) {
        List<String> lines = new ArrayList<>();
        index.scan(KeyRange.from(Bytes.EMPTY), (key, history) -> {
            History left = history.compact(compacted);
            if (left != null) {
                lines.add(Bytes.of(key) + " " + of(left));
            }
            return true;
        });
        return lines;
    }

    /** For each revision main.sub, create revision and version, and the position of the record. */
    static String of(History history) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < history.count(); at++) {
            text.append(at == 0 ? "" : " ").append(history.main(at)).append('.').append(history.sub(at));
            text.append(history.isTombstone(at) ? "t" : "c" + history.create(at) + "v" + history.version(at));
            text.append('@').append(history.position(at));
        }
        text.append(history.lease() == 0 ? "" : " lease " + history.lease());
        return text.toString();
    }

    static Outcome bare(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Put put -> new Outcome.Put(put.revision(), null);
            case Outcome.Deleted deleted -> new Outcome.Deleted(deleted.revision(), deleted.count(), List.of());
            case Outcome.Ranged ranged -> new Outcome.Ranged(ranged.revision(), List.of(), 0, false);
            case Outcome.Txned txned -> new Outcome.Txned(txned.revision(), txned.succeeded(),
                    txned.responses().stream().map(Dump::bare).toList());
            case Outcome.Compacted compacted -> compacted;
            case Outcome.Granted granted -> granted;
            case Outcome.Revoked revoked -> revoked;
            case Outcome.Alarms alarms -> alarms;
            case Outcome.Auth auth -> auth;
            case Outcome.Nothing nothing -> nothing;
            case Outcome.Refused refused -> refused;
            case Outcome.Unreadable lost -> lost;
        };
    }
}
