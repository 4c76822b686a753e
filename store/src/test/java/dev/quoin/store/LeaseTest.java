package dev.quoin.store;

import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** Leases, alarms and who is asked first: one story for every rule. */
class LeaseTest {
    private final MemoryRecords records = new MemoryRecords();
    private final Store store = new Store(records, 2);

    LeaseTest() {
        store.restored();
    }

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private Outcome grant(long id, long ttl) {
        return store.apply(new Command.LeaseGrant(id, ttl));
    }

    private Outcome put(String key, long lease) {
        return store.apply(new Command.Put(b(key), b("v"), lease, false, false, false));
    }

    private static Outcome.Refused refused(Refusal reason) {
        return new Outcome.Refused(reason);
    }

    private List<String> keys(long lease) {
        return store.leaseKeys(lease).stream().map(Bytes::toUtf8).toList();
    }

    @Test
    void aGrantIsNoRevisionAndLastsAtLeastTheMinimum() {
        assertThat(grant(5, 60)).isEqualTo(new Outcome.Granted(1, 5, 60));
        assertThat(grant(6, -3)).isEqualTo(new Outcome.Granted(1, 6, 2));
        assertThat(store.leases()).containsExactly(new Lease(5, 60, 0), new Lease(6, 2, 0));
    }

    @Test
    void aGrantWithoutIdTooLongOrTwiceIsRefusedInThisOrder() {
        assertThat(grant(0, Long.MAX_VALUE)).isEqualTo(refused(Refusal.LEASE_NOT_FOUND));
        assertThat(grant(5, 9_000_000_000L)).isEqualTo(new Outcome.Granted(1, 5, 9_000_000_000L));
        assertThat(grant(5, 9_000_000_001L)).isEqualTo(refused(Refusal.LEASE_TTL_TOO_LARGE));
        assertThat(grant(5, 1)).isEqualTo(refused(Refusal.LEASE_EXISTS));
    }

    @Test
    void aRevocationDeletesTheKeysOfTheLeaseInTheirOrderAndInOneRevision() {
        grant(5, 60);
        put("b", 5);
        put("a", 5);
        put("c", 5);
        put("d", 0);
        int before = records.lines.size();
        assertThat(store.apply(new Command.LeaseRevoke(5))).isEqualTo(new Outcome.Revoked(6));
        assertThat(records.lines.subList(before, before + 3)).containsExactly(
                new MemoryRecords.Line(6, 0, Records.Kind.TOMBSTONE.number(), b("a")),
                new MemoryRecords.Line(6, 1, Records.Kind.TOMBSTONE.number(), b("b")),
                new MemoryRecords.Line(6, 2, Records.Kind.TOMBSTONE.number(), b("c")));
        assertThat(records.lines.subList(before + 3, records.lines.size()))
                .extracting(MemoryRecords.Line::kind).containsExactly(Records.Kind.BUCKET.number());
        assertThat(store.apply(new Command.LeaseRevoke(5))).isEqualTo(refused(Refusal.LEASE_NOT_FOUND));
        assertThat(put("a", 5)).isEqualTo(refused(Refusal.LEASE_NOT_FOUND));
    }

    @Test
    void aRevocationWithoutKeysIsNoRevision() {
        grant(5, 60);
        assertThat(store.apply(new Command.LeaseRevoke(5))).isEqualTo(new Outcome.Revoked(1));
    }

    @Test
    void aPutMovesAKeyToItsLeaseOrFromEveryLeaseUnlessItKeepsTheLease() {
        grant(5, 60);
        grant(6, 60);
        put("a", 5);
        put("b", 5);
        put("c", 5);
        put("a", 6);
        put("b", 0);
        assertThat(keys(5)).containsExactly("c");
        assertThat(keys(6)).containsExactly("a");
        store.apply(new Command.Put(b("c"), b("w"), 0, false, false, true));
        assertThat(keys(5)).containsExactly("c");
        store.apply(new Command.DeleteRange(KeyRange.single(b("c")), false));
        assertThat(keys(5)).isEmpty();
    }

    @Test
    void anImmediateRestartFindsLeasesAndTheirKeys() {
        grant(5, 60);
        grant(-5, 60);
        put("a", 5);
        put("b", -5);
        put("b", 5);
        store.apply(new Command.LeaseCheckpoint(List.of(new Command.LeaseCheckpoint.Remaining(5, 30),
                new Command.LeaseCheckpoint.Remaining(99, 30))));
        Store restored = records.restore(records.lines.size());
        assertThat(restored.leases()).containsExactly(new Lease(-5, 60, 0), new Lease(5, 60, 30));
        assertThat(restored.leaseKeys(5)).containsExactly(b("a"), b("b"));
        assertThat(restored.leaseKeys(-5)).isEmpty();
        assertThat(restored.bucketScan(Bucket.LEASE).firstEntry().getValue())
                .as("leasepb.Lease").isEqualTo(Bytes.of(new byte[]{8, 5, 16, 60, 24, 30}));
    }

    @Test
    void aLeaseWithManyKeysIsRevokedInOneRevision() {
        Store large = new Store(new MemoryRecords(), 2);
        large.restored();
        large.apply(new Command.LeaseGrant(5, 60));
        int keys = 200_000;
        for (int i = 0; i < keys; i++) {
            large.applyUnheard(new Command.Put(b("key-" + i * 7919L % keys), Bytes.EMPTY, 5, false, false, false));
        }
        assertThat(large.leaseKeys(5)).hasSize(keys);
        assertThat(large.apply(new Command.LeaseRevoke(5))).isEqualTo(new Outcome.Revoked(keys + 2));
        large.publish();
        assertThat(large.view().keyCount()).isZero();
    }

    // ---- alarms

    private Outcome alarm(Command.Alarm.Action action, long memberId, int type) {
        return store.apply(new Command.Alarm(action, memberId, type));
    }

    private static Outcome.Alarms alarms(AlarmMember... alarms) {
        return new Outcome.Alarms(1, List.of(alarms));
    }

    private static Command.Txn then(Op... ops) {
        return new Command.Txn(List.of(), List.of(), List.of(ops));
    }

    @Test
    void anAlarmIsRaisedOnceListedAndTakenBackByMemberAndType() {
        AlarmMember space = new AlarmMember(-1, AlarmMember.NO_SPACE);
        assertThat(alarm(Command.Alarm.Action.ACTIVATE, -1, AlarmMember.NO_SPACE)).isEqualTo(alarms(space));
        int lines = records.lines.size();
        assertThat(alarm(Command.Alarm.Action.ACTIVATE, -1, AlarmMember.NO_SPACE)).isEqualTo(alarms(space));
        assertThat(alarm(Command.Alarm.Action.ACTIVATE, -1, AlarmMember.NONE)).isEqualTo(alarms());
        assertThat(records.lines).hasSize(lines);
        assertThat(alarm(Command.Alarm.Action.GET, 99, AlarmMember.NONE)).isEqualTo(alarms(space));
        assertThat(alarm(Command.Alarm.Action.GET, -1, AlarmMember.CORRUPT)).isEqualTo(alarms());
        assertThat(alarm(Command.Alarm.Action.DEACTIVATE, 2, AlarmMember.NO_SPACE)).isEqualTo(alarms());
        store.publish();
        assertThat(store.view().alarms()).containsExactly(space);
        assertThat(alarm(Command.Alarm.Action.DEACTIVATE, -1, AlarmMember.NO_SPACE)).isEqualTo(alarms(space));
        assertThat(alarm(Command.Alarm.Action.GET, 0, AlarmMember.NONE)).isEqualTo(alarms());
    }

    @Test
    void withoutSpaceNothingIsDoneThatTakesSome() {
        grant(5, 60);
        put("a", 5);
        alarm(Command.Alarm.Action.ACTIVATE, 1, AlarmMember.NO_SPACE);
        Op put = new Op.Put(Command.Put.of(b("a"), b("1")));
        assertThat(put("a", 0)).isEqualTo(refused(Refusal.NO_SPACE));
        assertThat(grant(6, 1)).isEqualTo(refused(Refusal.NO_SPACE));
        assertThat(store.apply(then(put))).isEqualTo(refused(Refusal.NO_SPACE));
        assertThat(store.apply(then(new Op.Txn(then(put))))).isEqualTo(refused(Refusal.NO_SPACE));
        assertThat(store.apply(then(new Op.Delete(new Command.DeleteRange(KeyRange.single(b("x")), false)))))
                .isInstanceOf(Outcome.Txned.class);
        assertThat(store.apply(new Command.Compact(2, false))).isEqualTo(new Outcome.Compacted(2));
        assertThat(store.apply(new Command.LeaseRevoke(5))).isEqualTo(new Outcome.Revoked(3));
    }

    @Test
    void aCorruptClusterChangesNothingButAlarmsAndSaysSoFirst() {
        grant(5, 60);
        alarm(Command.Alarm.Action.ACTIVATE, 1, AlarmMember.NO_SPACE);
        alarm(Command.Alarm.Action.ACTIVATE, 1, AlarmMember.CORRUPT);
        List<Command> commands = List.of(Command.Put.of(b("a"), b("")), then(), new Command.Compact(1, false),
                new Command.DeleteRange(KeyRange.everything(), false), new Command.LeaseGrant(6, 1),
                new Command.LeaseRevoke(5));
        for (Command command : commands) {
            assertThat(store.apply(command)).as("%s", command).isEqualTo(refused(Refusal.CORRUPT));
        }
        assertThat(store.apply(new Command.LeaseCheckpoint(List.of()))).isEqualTo(new Outcome.Nothing(1));
        Store restored = records.restore(records.lines.size());
        assertThat(restored.apply(then())).isEqualTo(refused(Refusal.CORRUPT));
        restored.apply(new Command.Alarm(Command.Alarm.Action.DEACTIVATE, 1, AlarmMember.CORRUPT));
        assertThat(restored.apply(Command.Put.of(b("a"), b("")))).isEqualTo(refused(Refusal.NO_SPACE));
    }

    // ---- cost

    @Test
    void issue22139ATransactionCostsItsDearerBranchWithAllThatIsInIt() {
        Op small = new Op.Put(Command.Put.of(b("ab"), b("cde")));
        Op large = new Op.Put(Command.Put.of(b("ab"), b("c".repeat(100))));
        assertThat(Command.Put.of(b("ab"), b("cde")).cost()).isEqualTo(261);
        assertThat(new Command.LeaseGrant(1, 1).cost()).isEqualTo(64);
        assertThat(new Command.Txn(List.of(), List.of(small, small), List.of(large)).cost()).isEqualTo(522);
        assertThat(then(new Op.Txn(then(large)), small).cost()).isEqualTo(358 + 261);
        assertThat(new Command.DeleteRange(KeyRange.everything(), true).cost()).isZero();
    }
}
