package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class BucketsTest {
    private final List<Bytes> journal = new ArrayList<>();
    private final Buckets buckets = new Buckets(journal::add);

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    @Test
    void anEntryIsFoundInItsBucketAloneUntilItIsDeleted() {
        buckets.put(Bucket.AUTH_USERS, b("root"), b("1"));
        buckets.put(Bucket.AUTH_USERS, b("alice"), b(""));
        assertThat(buckets.get(Bucket.AUTH_USERS, b("root"))).isEqualTo(b("1"));
        assertThat(buckets.get(Bucket.AUTH_ROLES, b("root"))).isNull();
        assertThat(buckets.scan(Bucket.AUTH_USERS).keySet()).containsExactly(b("alice"), b("root"));
        buckets.delete(Bucket.AUTH_USERS, b("root"));
        assertThat(buckets.get(Bucket.AUTH_USERS, b("root"))).isNull();
        assertThat(journal).hasSize(3);
    }

    @Test
    void deletingWhatIsNotThereLeavesNoRecord() {
        buckets.delete(Bucket.META, b("term"));
        assertThat(journal).isEmpty();
    }

    @Test
    void theBucketsCarryEtcdsNamesInTheOrderOfItsDatabase() {
        assertThat(Bucket.values()).extracting(Bucket::bucketName).isSorted().contains("alarm", "auth", "authRoles",
                "authUsers", "cluster", "lease", "members", "members_removed", "meta");
    }

    @Test
    void theRecordsTellWhatIsThere() {
        Random random = new Random(7);
        List<TreeMap<Bytes, Bytes>> expected = new ArrayList<>();
        for (int i = 0; i < Bucket.values().length; i++) {
            expected.add(new TreeMap<>());
        }
        for (int i = 0; i < 5000; i++) {
            Bucket bucket = Buckets.bucket(1 + random.nextInt(Bucket.values().length));
            Bytes key = random.nextInt(50) == 0 ? Bytes.EMPTY : b("k" + random.nextInt(40));
            if (random.nextInt(3) == 0) {
                buckets.delete(bucket, key);
                expected.get(bucket.number() - 1).remove(key);
            } else {
                Bytes value = b("v".repeat(random.nextInt(300)));
                buckets.put(bucket, key, value);
                expected.get(bucket.number() - 1).put(key, value);
            }
        }
        Buckets restored = new Buckets(payload -> {
            throw new AssertionError("a restored change leaves no record");
        });
        journal.forEach(restored::restore);
        for (Bucket bucket : Bucket.values()) {
            assertThat(restored.scan(bucket)).isEqualTo(expected.get(bucket.number() - 1));
            assertThat(buckets.scan(bucket)).isEqualTo(expected.get(bucket.number() - 1));
        }
    }

    @Test
    void aRecordOfAnUnknownBucketOrCutShortIsRefused() {
        assertThatThrownBy(() -> buckets.restore(Bytes.of(new byte[]{99, 0, 0})))
                .isInstanceOf(Invariant.Violation.class);
        assertThatThrownBy(() -> buckets.restore(Bytes.of(new byte[]{1, 5, 'a'})))
                .isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void whatTheMemberPutsComesBackWithTheStore() {
        MemoryRecords records = new MemoryRecords();
        Store store = new Store(records, 2);
        store.restored();
        store.apply(Command.Put.of(b("a"), b("1")));
        store.bucketPut(Bucket.CLUSTER, b("clusterVersion"), b("3.7.0"));
        store.bucketPut(Bucket.CLUSTER, b("downgrade"), b("{}"));
        store.bucketDelete(Bucket.CLUSTER, b("downgrade"));
        Store restored = records.restore(records.lines.size());
        assertThat(restored.bucketGet(Bucket.CLUSTER, b("clusterVersion"))).isEqualTo(b("3.7.0"));
        assertThat(restored.bucketScan(Bucket.CLUSTER)).hasSize(1);
        assertThat(restored.view().revision()).isEqualTo(2);
    }
}
