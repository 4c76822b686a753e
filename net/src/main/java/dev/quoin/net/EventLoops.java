package dev.quoin.net;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import org.jspecify.annotations.Nullable;

/**
 * Threads that wait for sockets. A {@link NetServer} and a {@link Dialler} may share them: what arrives at one and makes the other send
 * then does so without a change of threads. Close whoever uses them first.
 */
public final class EventLoops implements AutoCloseable {
    private final MultiThreadIoEventLoopGroup group;
    private final Map<EventExecutor, LoopState> loops = new LinkedHashMap<>();

    /**
     * @param name of the threads
     * @param turn told on each loop when hot messages came, or null
     */
    @SuppressWarnings("FutureReturnValueIgnored") // A sweep that fails is logged by the sweep.
    public EventLoops(String name, int count, @Nullable LoopTurn turn) {
        group = new MultiThreadIoEventLoopGroup(count, new DefaultThreadFactory(name, true),
                NioIoHandler.newFactory());
        for (EventExecutor executor : group) {
            LoopState loop = new LoopState((EventLoop) executor, turn);
            loops.put(executor, loop);
            executor.scheduleAtFixedRate(() -> sweep(loop), 1, 1, TimeUnit.SECONDS);
        }
    }

    private static void sweep(LoopState loop) {
        long now = System.nanoTime();
        loop.forEachConnection(connection -> {
            try {
                connection.sweep(now);
            } catch (RuntimeException e) {
                Faults.internal("sweep of a connection", e);
            }
        });
    }

    MultiThreadIoEventLoopGroup group() {
        return group;
    }

    List<LoopState> all() {
        return List.copyOf(loops.values());
    }

    LoopState of(EventLoop executor) {
        return Objects.requireNonNull(loops.get(executor));
    }

    /** Stops the threads; waits up to 5 s for them. Not on one of them. */
    @Override
    public void close() {
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }
}
