package dev.quoin.member;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.store.AlarmMember;
import dev.quoin.store.Command;
import dev.quoin.store.Command.Alarm.Action;

import static org.assertj.core.api.Assertions.assertThat;

/** When a member warns of its quota, and which alarm it takes back by itself. */
class QuotaWatchTest {
    private static final long SELF = 7;
    private static final long OWN_REQUEST = 100;
    private static final long CLIENTS_REQUEST = 200;

    private long used;
    private long nanos;
    private final List<String> told = new ArrayList<>();
    private int lifted;
    private QuotaWatch watch = watch(List.of());

    private QuotaWatch watch(List<AlarmMember> raised) {
        Events events = (Events) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[]{Events.class},
                (proxy, method, args) -> {
                    told.add(method.getName() + (args == null ? "" : " " + args[0]));
                    return null;
                });
        return new QuotaWatch(new Quota(1_000, () -> used), SELF, raised, 0, events, () -> lifted++);
    }

    private void alarm(long request, Action action, long member) {
        watch.applied(request, new Command.Alarm(action, member, AlarmMember.NO_SPACE));
    }

    private void raisesItself() {
        watch.raising(OWN_REQUEST);
        alarm(OWN_REQUEST, Action.ACTIVATE, SELF);
    }

    /** Looks every second, while all members say that they are Quoin. */
    private void pass(int seconds) {
        for (int second = 0; second < seconds; second++) {
            nanos += Duration.ofSeconds(1).toNanos();
            watch.heard(true, nanos);
            watch.look(nanos);
        }
    }

    @Test
    void aWarningIsGivenOnceForEachStep() {
        for (int now : List.of(500, 699, 700, 720, 790, 800, 790, 810, 760, 905, 1_000, 905)) {
            used = now;
            watch.look(0);
        }
        assertThat(told).containsExactly("quotaFills 70", "quotaFills 80", "quotaFills 90");
        told.clear();
        used = 100;
        watch.look(0);
        used = 850;
        watch.look(0);
        assertThat(told).as("after it was well below").containsExactly("quotaFills 80");
    }

    @Test
    void itsOwnAlarmIsTakenBackAfterThirtySecondsWithRoom() {
        used = 990;
        raisesItself();
        assertThat(watch.wantsToHear()).isTrue();
        pass(100);
        used = 899;
        pass(20);
        used = 900;
        pass(1);
        used = 899;
        pass(30);
        assertThat(lifted).as("30 s have not gone by without a break").isZero();
        pass(1);
        assertThat(lifted).isEqualTo(1);
        pass(9);
        assertThat(lifted).as("it waits for what becomes of it").isEqualTo(1);
        alarm(300, Action.DEACTIVATE, SELF);
        pass(100);
        assertThat(lifted).isEqualTo(1);
        assertThat(watch.wantsToHear()).isFalse();
    }

    @Test
    void whatAClientHasRaisedStays() {
        alarm(CLIENTS_REQUEST, Action.ACTIVATE, SELF);
        pass(100);
        raisesItself();
        pass(100);
        assertThat(lifted).as("there before its own").isZero();

        alarm(300, Action.DEACTIVATE, SELF);
        raisesItself();
        alarm(CLIENTS_REQUEST, Action.ACTIVATE, SELF);
        pass(100);
        assertThat(lifted).as("asked for after its own").isZero();
    }

    @Test
    void whatIsOfAnotherMemberOrOfAnEarlierLifeStays() {
        watch.raising(OWN_REQUEST);
        alarm(OWN_REQUEST, Action.ACTIVATE, SELF + 1);
        pass(100);
        assertThat(lifted).isZero();
        watch = watch(List.of(new AlarmMember(SELF, AlarmMember.NO_SPACE)));
        raisesItself();
        pass(100);
        assertThat(lifted).isZero();
    }

    @Test
    void nothingIsTakenBackUnlessAllMembersHaveJustSaidThatTheyAreQuoin() {
        used = 990;
        raisesItself();
        pass(1);
        used = 0;
        for (int second = 0; second < 100; second++) {
            nanos += Duration.ofSeconds(1).toNanos();
            watch.heard(false, nanos);
            watch.look(nanos);
        }
        assertThat(lifted).as("one is an etcd").isZero();
        watch.heard(true, nanos);
        nanos += Duration.ofSeconds(11).toNanos();
        watch.look(nanos);
        assertThat(lifted).as("that was heard too long ago").isZero();
        pass(1);
        assertThat(lifted).isEqualTo(1);
    }

    @Test
    void aStateFromALeaderSaysNothingAboutWhoRaisedIt() {
        raisesItself();
        watch.replaced(List.of(new AlarmMember(SELF, AlarmMember.NO_SPACE)));
        pass(100);
        assertThat(lifted).isZero();
    }
}
