package dev.quoin.server;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.End;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;

/**
 * Stands before every method, as etcd's interceptors do (v3rpc/interceptor.go, util.go isRPCSupportedForLearner). A learner
 * tells its status, its state as a whole and what may be stale, and nothing else. Who wants a leader ({@code hasleader: true}) is refused while
 * there is none; and a stream of such a client ends once there has been none for three election timeouts. Any thread.
 */
final class CallGate {
    private static final String STATUS = "/etcdserverpb.Maintenance/Status";
    private static final String RANGE = "/etcdserverpb.KV/Range";
    private static final int TICKS_WITHOUT_LEADER_MAX = 3;

    private final BooleanSupplier isLearner;
    private final BooleanSupplier hasLeader;
    private final Set<Call> needLeader = ConcurrentHashMap.newKeySet();
    private int ticksWithoutLeader;

    CallGate(BooleanSupplier isLearner, BooleanSupplier hasLeader) {
        this.isLearner = isLearner;
        this.hasLeader = hasLeader;
    }

    /** The method, behind the gate. */
    Method before(Method method) {
        Handler gated = method.kind() == Method.Kind.UNARY
                ? new Single(method.path(), method.handler())
                : new Stream(method.path(), method.handler());
        return new Method(method.path(), method.kind(), method.mode(), gated);
    }

    /** An election timeout has passed; by one thread. */
    void tick() {
        ticksWithoutLeader = hasLeader.getAsBoolean() ? 0 : ticksWithoutLeader + 1;
        if (ticksWithoutLeader >= TICKS_WITHOUT_LEADER_MAX) {
            needLeader.forEach(call -> call.finish(Errors.NO_LEADER));
        }
    }

    private static boolean wantsLeader(Call call) {
        return "true".equals(call.headers().text("hasleader"));
    }

    /** Passes everything on. */
    private abstract static class Passing implements Handler {
        final Handler behind;

        Passing(Handler behind) {
            this.behind = behind;
        }

        @Override
        public void onOpen(Call call) {
            behind.onOpen(call);
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
            behind.onEnd(call, why);
        }
    }

    /** One question, which is looked at when it is there: whether it may be stale, it says itself. */
    private final class Single extends Passing {
        private final boolean isForLearners;
        private final boolean mayBeStale;

        Single(String path, Handler behind) {
            super(behind);
            isForLearners = path.equals(STATUS);
            mayBeStale = path.equals(RANGE);
        }

        @Override
        public void onMessage(Call call, Bytes message) {
            if (!isForLearners && isLearner.getAsBoolean() && !(mayBeStale && isSerializable(message))) {
                call.finish(Errors.NOT_FOR_LEARNERS);
            } else if (!hasLeader.getAsBoolean() && wantsLeader(call)) {
                call.finish(Errors.NO_LEADER);
            } else {
                behind.onMessage(call, message);
            }
        }

        /** What cannot be read is refused in its place. */
        private static boolean isSerializable(Bytes message) {
            try {
                return Requests.range(message).serializable();
            } catch (Malformed malformed) {
                return true;
            }
        }
    }

    /** A stream, which is looked at when it is opened. */
    private final class Stream extends Passing {
        /** Calls that the handler has not heard of. */
        private final Set<Call> refused = ConcurrentHashMap.newKeySet();
        private final boolean isForLearners;

        Stream(String path, Handler behind) {
            super(behind);
            isForLearners = path.equals(SnapshotService.PATH);
        }

        @Override
        public void onOpen(Call call) {
            boolean needsLeader = wantsLeader(call);
            if (!isForLearners && isLearner.getAsBoolean()) {
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
        public void onEnd(Call call, End why) {
            needLeader.remove(call);
            if (!refused.remove(call)) {
                behind.onEnd(call, why);
            }
        }
    }
}
