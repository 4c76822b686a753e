package dev.quoin.server;

import java.util.concurrent.Semaphore;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.member.Failure;
import dev.quoin.net.Call;
import dev.quoin.net.End;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

/**
 * Calls that may wait for hours: for a lock, or for whoever leads next. Each has a virtual thread of its own, which costs
 * little while it waits, and a {@link Nudge}, which is given when the call is over or has room again. There are at most so
 * many at once; they count here and not among the calls on virtual threads, so that who waits keeps nobody from being served,
 * least of all whoever would end the wait.
 */
final class WaitingCalls {
    private static final Logger LOG = LoggerFactory.getLogger(WaitingCalls.class);

    private final Semaphore free;

    WaitingCalls(int max) {
        free = new Semaphore(max);
    }

    /** What a call does on its thread, from a request to the status at its end. */
    @FunctionalInterface
    interface Work<Q> {
        /**
         * Sends what there is to send and returns, or ends the call with a status.
         *
         * @param nudge given at the end of the call, whatever ends it, and when it has room again
         */
        void run(Call call, Q request, Nudge nudge) throws StatusException, InterruptedException;
    }

    /** What a call with one answer does on its thread. */
    @FunctionalInterface
    interface Answering<Q, A> {
        A run(Call call, Q request, Nudge nudge) throws StatusException, InterruptedException;
    }

    <Q extends MessageLite, A extends MessageLite> Method unary(String path, Parser<Q> parser, Answering<Q, A> work) {
        return method(path, Method.Kind.UNARY, parser,
                (call, request, nudge) -> call.finish(Bytes.of(work.run(call, request, nudge).toByteArray())));
    }

    <Q extends MessageLite> Method stream(String path, Parser<Q> parser, Work<Q> work) {
        return method(path, Method.Kind.SERVER_STREAMING, parser, (call, request, nudge) -> {
            work.run(call, request, nudge);
            call.finish(Status.OK);
        });
    }

    private <Q extends MessageLite> Method method(String path, Method.Kind kind, Parser<Q> parser, Work<Q> work) {
        return Method.hot(path, kind, new Handler() {
            @Override
            public void onMessage(Call call, Bytes message) {
                if (call.attachment() != null) {
                    return;
                }
                Nudge nudge = new Nudge();
                call.attach(nudge);
                start(call, () -> work.run(call, Unary.parsed(parser, message), nudge));
            }

            @Override
            public void onWritable(Call call) {
                nudge(call);
            }

            @Override
            public void onEnd(Call call, End why) {
                nudge(call);
            }
        });
    }

    private static void nudge(Call call) {
        if (call.attachment() instanceof Nudge nudge) {
            nudge.give();
        }
    }

    @FunctionalInterface
    private interface Task {
        void run() throws StatusException, InterruptedException;
    }

    /** An {@link Error} passes on to the thread's handler, which ends the process. */
    private void start(Call call, Task task) {
        if (!free.tryAcquire()) {
            call.finish(Errors.of(Failure.TOO_MANY_REQUESTS));
            return;
        }
        Thread.ofVirtual().name("waiting").start(() -> {
            try {
                task.run();
            } catch (StatusException ended) {
                call.finish(ended.status());
            } catch (InterruptedException stopped) {
                call.finish(Errors.CANCELLED);
            } catch (RuntimeException broken) {
                LOG.error("a call that may wait has failed: {}", call.method().path(), broken);
                call.finish(Status.of(Status.Code.INTERNAL, "internal error"));
            } finally {
                free.release();
            }
        });
    }
}
