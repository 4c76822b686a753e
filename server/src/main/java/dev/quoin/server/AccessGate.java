package dev.quoin.server;

import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.End;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;

/**
 * Stands before every method, behind {@link CallGate}, and does what the row of the method in {@link AccessTable} says. Whoever
 * calls a method calls it through here: by gRPC, or by the gateway. Any thread.
 */
final class AccessGate {
    private final Access access;

    AccessGate(Access access) {
        this.access = access;
    }

    /**
     * The method, behind the gate.
     *
     * @throws dev.quoin.base.Invariant.Violation if nobody has said who may call it
     */
    Method before(Method method) {
        return switch (AccessTable.of(method.path())) {
            case EVERYBODY, SERVICE -> method;
            case SOMEBODY -> guarded(method, Access.Word.OF_THE_MEMBER, Access.SOMEBODY);
            case ROOT -> guarded(method, Access.Word.OF_THE_MEMBER, Access.ROOT);
            case ROOT_WHEN_APPLIED -> guarded(method, Access.Word.OF_THE_LOG, Access.ROOT);
        };
    }

    private Method guarded(Method method, Access.Word word, Access.Check check) {
        return new Method(method.path(), method.kind(), method.mode(), new Guarded(method.handler(), word, check));
    }

    /** Decides when the request is there: all methods with such rows have one. */
    private final class Guarded implements Handler {
        private final Handler behind;
        private final Access.Word word;
        private final Access.Check check;

        Guarded(Handler behind, Access.Word word, Access.Check check) {
            this.behind = behind;
            this.word = word;
            this.check = check;
        }

        @Override
        public void onOpen(Call call) {
            behind.onOpen(call);
        }

        @Override
        public void onMessage(Call call, Bytes message) {
            access.decide(call, word, check, (view, caller) -> {
                // If it took until a fresh view, the call may be over by now, and its handler must not hear of it again.
                if (!call.cancelled()) {
                    behind.onMessage(call, message);
                }
            });
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
}
