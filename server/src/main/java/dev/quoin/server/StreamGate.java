package dev.quoin.server;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.End;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;

/**
 * Stands before the streams that clients keep open: none is opened on a learner; and one whose client wants a leader
 * ({@code hasleader: true}) is not opened while there is none, and ends once there has been none for three election timeouts
 * (v3rpc/interceptor.go). Any thread.
 */
final class StreamGate {
    private static final int TICKS_WITHOUT_LEADER_MAX = 3;

    private final BooleanSupplier isLearner;
    private final BooleanSupplier hasLeader;
    private final Set<Call> needLeader = ConcurrentHashMap.newKeySet();
    private int ticksWithoutLeader;

    StreamGate(BooleanSupplier isLearner, BooleanSupplier hasLeader) {
        this.isLearner = isLearner;
        this.hasLeader = hasLeader;
    }

    /** The method, behind the gate if it is such a stream. */
    Method before(Method method) {
        return method.kind() != Method.Kind.UNARY
                ? new Method(method.path(), method.kind(), method.mode(), new Gated(method.handler()))
                : method;
    }

    /** An election timeout has passed; by one thread. */
    void tick() {
        ticksWithoutLeader = hasLeader.getAsBoolean() ? 0 : ticksWithoutLeader + 1;
        if (ticksWithoutLeader >= TICKS_WITHOUT_LEADER_MAX) {
            needLeader.forEach(call -> call.finish(Errors.NO_LEADER));
        }
    }

    private final class Gated implements Handler {
        private final Handler behind;
        /** Calls that the handler has not heard of. */
        private final Set<Call> refused = ConcurrentHashMap.newKeySet();

        Gated(Handler behind) {
            this.behind = behind;
        }

        @Override
        public void onOpen(Call call) {
            boolean needsLeader = "true".equals(call.headers().text("hasleader"));
            if (isLearner.getAsBoolean()) {
                refused.add(call);
                call.finish(Errors.NOT_FOR_LEARNERS);
            } else if (needsLeader && !hasLeader.getAsBoolean()) {
                refused.add(call);
                call.finish(Errors.NO_LEADER);
            } else {
                if (needsLeader) {
                    needLeader.add(call);
                }
                behind.onOpen(call);
            }
        }

        @Override
        public void onMessage(Call call, Bytes message) {
            behind.onMessage(call, message);
        }

        @Override
        public void onHalfClose(Call call) {
            behind.onHalfClose(call);
        }

        @Override
        public void onWritable(Call call) {
            behind.onWritable(call);
        }

        @Override
        public void onEnd(Call call, End why) {
            needLeader.remove(call);
            if (!refused.remove(call)) {
                behind.onEnd(call, why);
            }
        }
    }
}
