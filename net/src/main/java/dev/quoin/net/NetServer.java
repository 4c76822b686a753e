package dev.quoin.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * A {@link NetConfig} listening. Started once, closed once; {@link #drain} is the polite way to close. Its methods may be
 * called from any thread but a loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty tells of a failed write by closing the channel, which we hear of.
public final class NetServer implements AutoCloseable {
    private static final int BACKLOG = 4096;
    private static final WriteBufferWaterMark WATER = new WriteBufferWaterMark(128 * 1024, 256 * 1024);
    /** Handshakes that may wait for the resolver at once. */
    private static final int RESOLVING_HANDSHAKES = 4;

    private final Shared shared;
    private final List<NetConfig.Listen> listens;
    private final EventLoops loops;
    private final boolean ownsLoops;
    private final ExecutorService handshakes;
    private final @Nullable TlsContext tls;
    private final List<Channel> listeners = new ArrayList<>();

    private NetServer(NetConfig config, EventLoops loops, boolean ownsLoops) throws IOException {
        shared = new Shared(config);
        listens = config.listens();
        // Whoever is served already keeps half the processors, however many knock.
        int half = Runtime.getRuntime().availableProcessors() / 2;
        handshakes = Executors.newFixedThreadPool(Math.max(asksResolver(config.tls()) ? RESOLVING_HANDSHAKES : 1, half),
                new DefaultThreadFactory("net-tls", true));
        tls = config.tls() == null ? null : new TlsContext(config.tls(), handshakes);
        this.loops = loops;
        this.ownsLoops = ownsLoops;
    }

    private static boolean asksResolver(@Nullable NetTls tls) {
        return tls != null && tls.clients().areAsked() && tls.clients().atAddress();
    }

    /**
     * Listens on every address of {@code config}, or on none.
     *
     * @throws IOException an address cannot be had, or a certificate cannot be read; the text names it
     */
    public static NetServer start(NetConfig config) throws IOException {
        return listening(prepare(config));
    }

    /** As the other, on loops that outlive it; those and the turn of {@code config} are not used. */
    public static NetServer start(NetConfig config, EventLoops loops) throws IOException {
        return listening(new NetServer(config, loops, false));
    }

    /**
     * What {@link #start} does before it listens, which is most of it; then {@link #listen}, or {@link #close}.
     *
     * @throws IOException a certificate cannot be read; the text names it
     */
    public static NetServer prepare(NetConfig config) throws IOException {
        return new NetServer(config, new EventLoops("net-loop", config.loops(), config.turn()), true);
    }

    private static NetServer listening(NetServer server) throws IOException {
        try {
            server.listen();
            return server;
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    /**
     * Listens on every address, once.
     *
     * @throws IOException an address cannot be had; the text names it, and the server is to be closed
     */
    public void listen() throws IOException {
        for (NetConfig.Listen listen : listens) {
            listeners.add(listen(listen));
        }
    }

    private Channel listen(NetConfig.Listen listen) throws IOException {
        boolean unix = listen.address() instanceof UnixDomainSocketAddress;
        if (listen.address() instanceof UnixDomainSocketAddress address) {
            removeLeftSocket(address.getPath());
        }
        Class<? extends ServerChannel> type = unix ? NioServerDomainSocketChannel.class : NioServerSocketChannel.class;
        ServerBootstrap bootstrap = new ServerBootstrap().group(loops.group()).channel(type)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accepted(channel, listen);
                    }
                });
        if (!unix) {
            if (listen.reusesPort()) {
                bootstrap.option(NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT), true);
            }
            bootstrap.option(ChannelOption.SO_REUSEADDR, true)
                    .childOption(ChannelOption.TCP_NODELAY, true)
                    .childOption(ChannelOption.SO_KEEPALIVE, true);
        }
        ChannelFuture bound = bootstrap.bind(listen.address()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("cannot listen on " + listen.address() + ": " + bound.cause().getMessage(),
                    bound.cause());
        }
        return bound.channel();
    }

    /** Whoever ran before may have left its socket, and only a socket is ours to remove. */
    private static void removeLeftSocket(Path path) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path)) {
            Files.delete(path);
        }
    }

    private void accepted(Channel channel, NetConfig.Listen listen) {
        LoopState loop = loops.of(channel.eventLoop());
        Object address = channel.remoteAddress() instanceof InetSocketAddress inet ? inet.getAddress() : null;
        Admission admission = Admission.admit(shared, loop, channel, address);
        if (admission == null || shared.draining) {
            if (admission != null) {
                admission.close();
            }
            channel.unsafe().close(channel.unsafe().voidPromise());
            return;
        }
        Pipelines pipelines = new Pipelines(shared, loop, admission, channel, tls);
        channel.pipeline().addLast(new Sniffer(pipelines, listen.plain(), listen.tls()));
    }

    /** Where it listens, in the order of the configuration, with the ports that were free. */
    public List<SocketAddress> addresses() {
        return listeners.stream().map(Channel::localAddress).toList();
    }

    /** The TCP port of the first listener. */
    public int port() {
        return ((InetSocketAddress) listeners.getFirst().localAddress()).getPort();
    }

    /** Its loops, for whoever hangs something on each before the first call. */
    public List<Loop> loops() {
        return List.copyOf(loops.all());
    }

    /**
     * Reads the certificate files again, for connections to come, if they have changed. One thread at a time.
     *
     * @return whether they have, and are in use
     * @throws IOException they cannot be used, and the old ones stay in use; told once for each change
     */
    public boolean refreshTls() throws IOException {
        return tls != null && tls.refresh();
    }

    /** Until when its certificate is valid, if it has one. */
    public Optional<Instant> certificateExpiry() {
        return Optional.ofNullable(tls).map(TlsContext::expiry);
    }

    /**
     * Stops politely: accepts nothing more, tells every client twice (first that no new calls are wanted, then which was
     * the last one taken), lets calls at work finish for at most {@code grace}, then cuts what is left and closes.
     */
    public void drain(Duration grace) throws InterruptedException {
        shared.draining = true;
        listeners.forEach(Channel::close);
        onEachLoop(loop -> forEachOfOurs(loop, LoopState.Connection::drain));
        long until = System.nanoTime() + grace.toNanos();
        while (shared.connections.get() > 0 && System.nanoTime() < until) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        onEachLoop(loop -> forEachOfOurs(loop, connection -> connection.abort(End.DRAINED)));
        close();
    }

    /** A dialler on the same loop looks after its own. */
    private static void forEachOfOurs(LoopState loop, Consumer<LoopState.Connection> work) {
        loop.forEachConnection(connection -> {
            if (!(connection instanceof DialConnection || connection instanceof ParkedConnections)) {
                work.accept(connection);
            }
        });
    }

    private void onEachLoop(Consumer<LoopState> work) throws InterruptedException {
        CountDownLatch done = new CountDownLatch(loops.all().size());
        for (LoopState loop : loops.all()) {
            loop.execute(() -> {
                try {
                    work.accept(loop);
                } finally {
                    done.countDown();
                }
            });
        }
        done.await(5, TimeUnit.SECONDS);
    }

    /** Stops now: connections are cut, calls end with {@link End#CONNECTION_LOST}. */
    @Override
    public void close() {
        listeners.forEach(Channel::close);
        for (LoopState loop : loops.all()) {
            loop.execute(() -> forEachOfOurs(loop, connection -> connection.abort(End.CONNECTION_LOST)));
        }
        if (ownsLoops) {
            loops.close();
        }
        handshakes.shutdownNow();
    }

}
