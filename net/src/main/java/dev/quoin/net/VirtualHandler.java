package dev.quoin.net;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/** The adapter that moves a call to a virtual thread when its message is there, within the server's bound. */
final class VirtualHandler implements Handler {
    private final @Nullable UnaryHandler unary;
    private final @Nullable StreamHandler streaming;

    private VirtualHandler(@Nullable UnaryHandler unary, @Nullable StreamHandler streaming) {
        this.unary = unary;
        this.streaming = streaming;
    }

    static Handler unary(UnaryHandler handler) {
        return new VirtualHandler(handler, null);
    }

    static Handler streaming(StreamHandler handler) {
        return new VirtualHandler(null, handler);
    }

    @Override
    public void onMessage(Call call, Bytes message) {
        ServedCall own = (ServedCall) call;
        if (!own.virtualWork().start(() -> run(call, message))) {
            own.refused(NetMetrics.Refusal.VIRTUAL_CALLS);
            call.finish(Status.of(Status.Code.RESOURCE_EXHAUSTED, "too many requests in work"));
        }
    }

    @Override
    public void onWritable(Call call) {
        ((ServedCall) call).wake();
    }

    @Override
    public void onEnd(Call call, End why) {
        ((ServedCall) call).wake();
    }

    private void run(Call call, Bytes message) {
        try {
            if (unary != null) {
                call.finish(unary.handle(call, message));
            } else if (streaming != null) {
                streaming.handle(call, message);
                call.finish(Status.OK);
            }
        } catch (StatusException e) {
            call.finish(e.status());
        } catch (InterruptedException e) {
            call.finish(Status.of(Status.Code.CANCELLED, "context canceled"));
        } catch (Throwable e) {
            call.finish(Faults.internal("handler of " + call.method().path(), e));
        }
    }
}
