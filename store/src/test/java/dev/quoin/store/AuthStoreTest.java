package dev.quoin.store;

import java.util.List;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** The check where it counts: in the store, before anything is done, whatever else is the matter. */
class AuthStoreTest {
    private static final long SHARED_LEASE = 7;

    private final MemoryRecords records = new MemoryRecords();
    private Store store = new Store(records, 2);

    AuthStoreTest() {
        store.restored();
    }

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static Command auth(AuthCommand command) {
        return new Command.Auth(command);
    }

    private static Command.Put put(String key, long lease) {
        return new Command.Put(b(key), b("v"), lease, false, false, false);
    }

    private static Outcome refused(Refusal reason) {
        return new Outcome.Refused(reason);
    }

    private Caller now(String user) {
        store.publish();
        return new Caller(user, store.view().auth().revision());
    }

    private Caller tenant() {
        return now("tenant");
    }

    private void done(Command command) {
        assertThat(store.apply(command, now("root"))).as("%s", command).isNotInstanceOf(Outcome.Refused.class);
    }

    /** The tenant may write {@code mine}; a lease has that key and {@code secret}. */
    private void control() {
        Stream.of(new AuthCommand.UserAdd(b("root"), Bytes.EMPTY, false),
                new AuthCommand.UserGrantRole(b("root"), b("root")),
                new AuthCommand.UserAdd(b("tenant"), Bytes.EMPTY, false), new AuthCommand.RoleAdd(b("r")),
                new AuthCommand.UserGrantRole(b("tenant"), b("r")),
                new AuthCommand.RoleGrantPermission(b("r"),
                        new Permission(Permission.WRITE, KeyRange.single(b("mine")))))
                .map(AuthStoreTest::auth).forEach(this::done);
        Stream.of(new Command.LeaseGrant(SHARED_LEASE, 60), put("secret", SHARED_LEASE), put("mine", SHARED_LEASE))
                .forEach(this::done);
        done(auth(new AuthCommand.Enable()));
    }

    private void raise(int alarm) {
        done(new Command.Alarm(Command.Alarm.Action.ACTIVATE, 1, alarm));
    }

    @Test
    void aLoneHeaderOfAnAnswerIsTheKeysRevision() {
        assertThat(store.apply(auth(new AuthCommand.RoleAdd(b("r")))))
                .isEqualTo(new Outcome.Auth(1, new AuthOutcome.Done()));
        store.apply(put("a", 0));
        assertThat(store.apply(auth(new AuthCommand.Status())))
                .isEqualTo(new Outcome.Auth(2, new AuthOutcome.Status(false, 2)));
        assertThat(store.apply(auth(new AuthCommand.RoleAdd(b("r"))))).isEqualTo(refused(Refusal.ROLE_ALREADY_EXIST));
    }

    // ---- every command

    /** A command, and what nobody and the tenant are told; null where it is done or refused for another reason. */
    record Row(Command command, @Nullable Refusal nobody, @Nullable Refusal tenant) {}

    private static Row denied(Command command) {
        return new Row(command, Refusal.USER_EMPTY, Refusal.PERMISSION_DENIED);
    }

    private static Command.Txn txn(Op op) {
        return new Command.Txn(List.of(), List.of(op), List.of());
    }

    private static Stream<Row> rows() {
        Compare compare = Compare.number(KeyRange.single(b("secret")), Compare.Target.VERSION, Compare.Result.EQUAL, 0);
        return Stream.of(denied(put("secret", 0)), denied(put("mine", SHARED_LEASE)),
                denied(new Command.Put(b("mine"), b("v"), 0, true, false, false)),
                new Row(put("mine", 0), Refusal.USER_EMPTY, null),
                denied(new Command.DeleteRange(KeyRange.everything(), false)),
                denied(new Command.DeleteRange(KeyRange.single(b("mine")), true)),
                denied(new Command.Txn(List.of(compare), List.of(), List.of())),
                denied(txn(new Op.Put(put("secret", 0)))), denied(txn(new Op.Range(Query.get(b("mine"))))),
                denied(new Command.Txn(List.of(), List.of(), List.of(new Op.Txn(txn(new Op.Put(put("secret", 0))))))),
                denied(txn(new Op.Txn(txn(new Op.Put(put("mine", SHARED_LEASE)))))),
                denied(new Command.LeaseRevoke(SHARED_LEASE)),
                denied(auth(new AuthCommand.Disable())), denied(auth(new AuthCommand.UserDelete(b("tenant")))),
                denied(auth(new AuthCommand.UserGrantRole(b("tenant"), b("root")))),
                denied(auth(new AuthCommand.UserList())),
                // Etcd asks who wants these before they are proposed, and not again.
                new Row(new Command.Compact(2, false), null, null), new Row(new Command.LeaseGrant(9, 60), null, null),
                new Row(new Command.LeaseCheckpoint(List.of()), null, null),
                new Row(new Command.Alarm(Command.Alarm.Action.GET, 0, 0), null, null),
                new Row(auth(new AuthCommand.Status()), null, null), new Row(new Command.Nothing(), null, null));
    }

    private void expect(Command command, Caller caller, @Nullable Refusal reason) {
        int before = records.lines.size();
        Outcome outcome = store.apply(command, caller);
        if (reason == null) {
            assertThat(outcome).isNotInstanceOf(Outcome.Refused.class);
        } else {
            assertThat(outcome).isEqualTo(refused(reason));
            assertThat(records.lines).hasSize(before);
            assertThat(store.applyUnheard(command, caller)).isEqualTo(refused(reason));
        }
    }

    @ParameterizedTest
    @MethodSource("rows")
    void nobodyIsStopped(Row row) {
        control();
        expect(row.command, Caller.NONE, row.nobody);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void theTenantIsStoppedUnlessTheKeysAreItsOwn(Row row) {
        control();
        expect(row.command, tenant(), row.tenant);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void rootIsNot(Row row) {
        control();
        expect(row.command, now("root"), null);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void nobodyIsAskedWhileAccessIsNotControlled(Row row) {
        control();
        done(auth(new AuthCommand.Disable()));
        expect(row.command, Caller.NONE, null);
    }

    // ---- alarms

    /** Every command under every set of alarms: an alarm may refuse more, and never lets anything through. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void issue22386NoAlarmTakesTheCheckOff(int alarms) {
        List<Row> rows = rows().toList();
        for (Row row : rows) {
            AuthStoreTest fresh = new AuthStoreTest();
            fresh.control();
            if ((alarms & 1) != 0) {
                fresh.raise(AlarmMember.NO_SPACE);
            }
            if ((alarms & 2) != 0) {
                fresh.raise(AlarmMember.CORRUPT);
            }
            if (row.tenant != null) {
                Outcome outcome = fresh.store.apply(row.command, fresh.tenant());
                assertThat(outcome).as("%s", row).isInstanceOf(Outcome.Refused.class);
            }
            if (row.command instanceof Command.Auth && row.tenant != null) {
                fresh.expect(row.command, fresh.tenant(), row.tenant);
                fresh.expect(row.command, Caller.NONE, row.nobody);
            }
            // Nor does it stay off when they are taken back, or after a restart.
            fresh.store = fresh.records.restore(fresh.records.lines.size());
            fresh.done(new Command.Alarm(Command.Alarm.Action.DEACTIVATE, 1, AlarmMember.NO_SPACE));
            fresh.done(new Command.Alarm(Command.Alarm.Action.DEACTIVATE, 1, AlarmMember.CORRUPT));
            fresh.expect(row.command, fresh.tenant(), row.tenant);
        }
    }

    @Test
    void anAlarmSpeaksBeforeTheCheck() {
        control();
        raise(AlarmMember.NO_SPACE);
        assertThat(store.apply(put("secret", 0), tenant())).isEqualTo(refused(Refusal.NO_SPACE));
        assertThat(store.apply(new Command.DeleteRange(KeyRange.everything(), false), tenant()))
                .isEqualTo(refused(Refusal.PERMISSION_DENIED));
        raise(AlarmMember.CORRUPT);
        assertThat(store.apply(put("secret", 0), tenant())).isEqualTo(refused(Refusal.CORRUPT));
        assertThat(store.apply(auth(new AuthCommand.Disable()), tenant()))
                .isEqualTo(refused(Refusal.PERMISSION_DENIED));
    }

    // ---- order with other commands

    @Test
    void aWriteThatWasProposedBeforeAChangeIsRefusedAfterIt() {
        control();
        Caller before = tenant();
        assertThat(store.apply(put("mine", 0), before)).isInstanceOf(Outcome.Put.class);
        done(auth(new AuthCommand.RoleAdd(b("unrelated"))));
        assertThat(store.apply(put("mine", 0), before)).isEqualTo(refused(Refusal.AUTH_OLD_REVISION));
        assertThat(store.apply(put("mine", 0), tenant())).isInstanceOf(Outcome.Put.class);
    }

    @Test
    void aLeaseIsFreeAgainOnceItsForeignKeyIsGone() {
        control();
        assertThat(store.apply(put("mine", SHARED_LEASE), tenant())).isEqualTo(refused(Refusal.PERMISSION_DENIED));
        done(new Command.DeleteRange(KeyRange.single(b("secret")), false));
        assertThat(store.apply(put("mine", SHARED_LEASE), tenant())).isInstanceOf(Outcome.Put.class);
        assertThat(store.apply(new Command.LeaseRevoke(SHARED_LEASE), tenant())).isInstanceOf(Outcome.Revoked.class);
    }

    @Test
    void readersSeeUsersAndKeysOfTheSameMoment() {
        control();
        store.publish();
        View before = store.view();
        done(auth(new AuthCommand.Disable()));
        assertThat(before.auth().enabled()).isTrue();
        assertThat(store.view().auth().enabled()).isTrue();
        store.publish();
        assertThat(store.view().auth().enabled()).isFalse();
        assertThat(before.auth().checkRead(Caller.NONE, KeyRange.everything())).isEqualTo(Refusal.USER_EMPTY);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void afterARestartTheSamePeopleMayDoTheSame(Row row) {
        control();
        store = records.restore(records.lines.size());
        expect(row.command, tenant(), row.tenant);
        assertThat(store.view().auth().revision()).isEqualTo(7);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void noneOfThatIsLostInAnImage(Row row) {
        control();
        store.publish();
        store = records.restore(MemoryRecords.image(store), records.lines.size());
        expect(row.command, tenant(), row.tenant);
        assertThat(store.view().auth().revision()).isEqualTo(7);
    }
}
