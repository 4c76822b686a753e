package dev.quoin.server;

import java.util.function.BooleanSupplier;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.End;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;

/**
 * Stands before a method on a member that may be a learner: such a one tells its status and what may be stale, and nothing
 * else (v3rpc/util.go isRPCSupportedForLearner).
 */
record LearnerGate(Handler behind, BooleanSupplier isLearner, boolean mayBeStale) implements Handler {
    private static final String STATUS = "/etcdserverpb.Maintenance/Status";
    private static final String RANGE = "/etcdserverpb.KV/Range";

    /** The method, with the gate where one is needed. */
    static Method before(Method method, BooleanSupplier isLearner) {
        return method.path().equals(STATUS) ? method
                : new Method(method.path(), method.kind(), method.mode(),
                        new LearnerGate(method.handler(), isLearner, method.path().equals(RANGE)));
    }

    @Override
    public void onMessage(Call call, Bytes message) {
        if (isLearner.getAsBoolean() && !(mayBeStale && isSerializable(message))) {
            call.finish(Errors.NOT_FOR_LEARNERS);
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

    @Override
    public void onOpen(Call call) {
        behind.onOpen(call);
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
