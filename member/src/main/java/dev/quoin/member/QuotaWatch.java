package dev.quoin.member;

import java.time.Duration;
import java.util.List;

import dev.quoin.store.AlarmMember;
import dev.quoin.store.Command;

/**
 * Looks at how much of the quota is in use. Warns when it becomes much; and takes back the alarm about space that this
 * member has raised, once there has been room for a while. etcd leaves that to its operator.
 *
 * <p>Only an alarm that came to be by this member's own finding, in this life of it, and that nobody has asked for since:
 * what a client raises, a client takes back. And only while every member has just said that it is Quoin: who runs an etcd
 * expects an alarm to stay.
 *
 * <p>The apply loop tells what becomes of alarms; the housekeeper lets it look.
 */
final class QuotaWatch {
    private static final List<Integer> STEPS_PERCENT = List.of(90, 80, 70);
    /** How far below a step it must go before that step is told again. */
    private static final int BACK_PERCENT = 5;
    /** Below this share there is room. */
    private static final int ROOM_PERCENT = 90;
    private static final long ROOM_NANOS = Duration.ofSeconds(30).toNanos();
    private static final long AGAIN_NANOS = Duration.ofSeconds(10).toNanos();
    /** How long it holds what was heard of the other members. */
    private static final long HEARD_NANOS = Duration.ofSeconds(10).toNanos();
    private static final long NOBODY = 0;

    private final Quota quota;
    private final long self;
    private final Events events;
    private final Runnable lift;

    /** The request by which this member raises the alarm, or has raised it last. */
    private volatile long ownRequest = NOBODY;
    /** Whether the alarm that is up is this member's own. Written by the apply loop. */
    private volatile boolean isOwn;
    /** Until when it is known, on the clock, that all members are Quoin; meaningless unless {@code areQuoin}. */
    private volatile long heardUntilNanos;
    private volatile boolean areQuoin;

    // The apply loop's.
    private boolean isRaised;

    // The housekeeper's.
    private int toldPercent;
    private boolean hadRoom;
    private long roomSinceNanos;
    private long notBeforeNanos;

    /**
     * @param alarms those that are raised at the start
     * @param lift takes the alarm back; called on the housekeeper's thread
     */
    QuotaWatch(Quota quota, long self, List<AlarmMember> alarms, long nowNanos, Events events, Runnable lift) {
        this.quota = quota;
        this.self = self;
        this.events = events;
        this.lift = lift;
        isRaised = isRaised(alarms);
        notBeforeNanos = nowNanos;
    }

    private boolean isRaised(List<AlarmMember> alarms) {
        return alarms.contains(new AlarmMember(self, AlarmMember.NO_SPACE));
    }

    // ---- any thread

    /** This member is about to raise the alarm, by this request. */
    void raising(long request) {
        ownRequest = request;
    }

    /** What the members have just said: whether all of them are Quoin. */
    void heard(boolean all, long nowNanos) {
        heardUntilNanos = nowNanos + HEARD_NANOS;
        areQuoin = all;
    }

    /** Whether it matters what the members are. */
    boolean wantsToHear() {
        return isOwn;
    }

    // ---- the apply loop

    /** A request about alarms is applied. */
    void applied(long request, Command.Alarm alarm) {
        if (alarm.memberId() != self || alarm.type() != AlarmMember.NO_SPACE) {
            return;
        }
        switch (alarm.action()) {
            case ACTIVATE -> {
                isOwn = request == ownRequest && (isOwn || !isRaised);
                isRaised = true;
            }
            case DEACTIVATE -> {
                isOwn = false;
                isRaised = false;
            }
            case GET, UNKNOWN -> {}
        }
    }

    /** Another state is in force. */
    void replaced(List<AlarmMember> alarms) {
        isOwn = false;
        isRaised = isRaised(alarms);
    }

    // ---- the housekeeper

    void look(long nowNanos) {
        if (quota.bytesMax() <= 0) {
            return;
        }
        long used = quota.inUseBytes().getAsLong();
        int percent = (int) Math.min(100, used / Math.max(1, quota.bytesMax() / 100));
        warn(percent, used);
        boolean hasRoom = isOwn && percent < ROOM_PERCENT;
        if (hasRoom && !hadRoom) {
            roomSinceNanos = nowNanos;
        }
        hadRoom = hasRoom;
        if (hasRoom && nowNanos - roomSinceNanos >= ROOM_NANOS && nowNanos - notBeforeNanos >= 0
                && areQuoin && heardUntilNanos - nowNanos > 0) {
            notBeforeNanos = nowNanos + AGAIN_NANOS;
            events.alarmLifted();
            lift.run();
        }
    }

    private void warn(int percent, long used) {
        int step = STEPS_PERCENT.stream().filter(each -> percent >= each).findFirst().orElse(0);
        if (step > toldPercent) {
            toldPercent = step;
            events.quotaFills(step, used, quota.bytesMax());
        } else if (percent < toldPercent - BACK_PERCENT) {
            toldPercent = step;
        }
    }
}
