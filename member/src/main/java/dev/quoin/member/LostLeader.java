package dev.quoin.member;

import java.time.Duration;

import dev.quoin.raft.Chance;

/**
 * Shortens the wait for an election when the leader's process has ended, which its host says by refusing connections: there
 * is nothing left to wait for. Only when the leader really is silent, for longer than it ever is between two heartbeats, is
 * it forgotten, and then this member stands for election, after a moment that differs from member to member, and again
 * until there is a leader.
 *
 * <p>Nothing is taken on trust: it is an ordinary election, which begins by asking whether it could be won; members that
 * hear their leader refuse. So a refused connection that means something else disturbs nobody else, and here only until the
 * next heartbeat.
 */
final class LostLeader {
    /** What is to be done now. */
    sealed interface Todo {
        record Forget() implements Todo {}

        record Campaign() implements Todo {}

        /** Nothing, for so long. */
        record Wait(long nanos) implements Todo {}
    }

    /** The others have to find out too, so one try may be too early. After these, the ordinary time-out counts. */
    private static final int TRIES_MAX = 5;
    private static final int SPREAD_MILLIS = 150;
    private static final Todo NOTHING = new Todo.Wait(Long.MAX_VALUE);

    private final long silenceNanos;
    private final Chance chance;
    private long heardNanos;
    private long gone;
    private int triesLeft;
    private long tryNanos;

    LostLeader(long tickNanos, Chance chance) {
        silenceNanos = tickNanos * 3 / 2;
        this.chance = chance;
    }

    /** The leader has sent something. */
    void heard(long nowNanos) {
        heardNanos = nowNanos;
        gone = 0;
        triesLeft = 0;
    }

    /** The process of a member has ended. */
    void gone(long member, long leader) {
        if (member == leader) {
            gone = member;
        }
    }

    /** @param leader whom this member follows, 0 for nobody */
    Todo step(long nowNanos, long leader) {
        if (leader != 0) {
            triesLeft = 0;
            return leader == gone ? forgetSilent(nowNanos) : NOTHING;
        }
        gone = 0;
        if (triesLeft == 0) {
            return NOTHING;
        }
        long left = tryNanos - nowNanos;
        if (left > 0) {
            return new Todo.Wait(left);
        }
        triesLeft--;
        plan(nowNanos + silenceNanos);
        return new Todo.Campaign();
    }

    private Todo forgetSilent(long nowNanos) {
        long left = heardNanos + silenceNanos - nowNanos;
        if (left > 0) {
            return new Todo.Wait(left);
        }
        gone = 0;
        triesLeft = TRIES_MAX;
        plan(nowNanos);
        return new Todo.Forget();
    }

    private void plan(long nowNanos) {
        tryNanos = nowNanos + Duration.ofMillis(chance.below(SPREAD_MILLIS)).toNanos();
    }
}
