package dev.quoin.ctl.gateway;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import dev.quoin.ctl.cli.Log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What goes through a gateway, between real sockets. */
@Timeout(60)
class TcpProxyTest {
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final InetAddress HOST = InetAddress.getLoopbackAddress();

    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final ArrayDeque<AutoCloseable> open = new ArrayDeque<>();

    @AfterEach
    void closeAll() throws Exception {
        while (!open.isEmpty()) {
            open.pop().close();
        }
    }

    /** What a server does with a connection. */
    private interface Service {
        void serve(Socket socket) throws IOException;
    }

    private <T extends AutoCloseable> T kept(T what) {
        open.push(what);
        return what;
    }

    private ServerSocket server(int port, Service service) throws IOException {
        ServerSocket listener = kept(new ServerSocket());
        listener.setReuseAddress(true);
        listener.bind(new InetSocketAddress(HOST, port), 1024);
        // Not a virtual one: that could take one connection more after the listener is closed.
        Thread.ofPlatform().daemon().start(() -> {
            try {
                while (true) {
                    Socket socket = listener.accept();
                    Thread.ofVirtual().start(() -> serve(socket, service));
                }
            } catch (IOException closed) {
                assertThat(listener.isClosed()).isTrue();
            }
        });
        return listener;
    }

    private static void serve(Socket socket, Service service) {
        try (socket) {
            service.serve(socket);
        } catch (IOException gone) {
            // The test looks at what the client sees.
            assertThat(gone).isNotNull();
        }
    }

    /** Says its name, and then what it hears. */
    private ServerSocket echo(int port, char name) throws IOException {
        return server(port, socket -> {
            socket.getOutputStream().write(name);
            socket.getInputStream().transferTo(socket.getOutputStream());
        });
    }

    private static Remote at(ServerSocket server) {
        return at(server.getLocalPort());
    }

    private static Remote at(int port) {
        return Remote.at(new HostPort("127.0.0.1", port));
    }

    private int gateway(int connectionsMax, Remote... remotes) throws IOException {
        ServerSocket listener = new ServerSocket(0, 1024, HOST);
        start(listener, connectionsMax, remotes);
        return listener.getLocalPort();
    }

    private TcpProxy start(ServerSocket listener, int connectionsMax, Remote... remotes) {
        Log log = new Log(new PrintStream(logged, true, StandardCharsets.UTF_8), "gateway");
        TcpProxy proxy = kept(
                new TcpProxy(listener, new Remotes(List.of(remotes), new Random(1)), RETRY_NANOS, connectionsMax, log));
        Thread.ofPlatform().daemon().start(() -> {
            try {
                proxy.run();
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            }
        });
        return proxy;
    }

    private Socket connect(int port) throws IOException {
        Socket socket = kept(new Socket(HOST, port));
        socket.setSoTimeout(20_000);
        return socket;
    }

    private String log() {
        return logged.toString(StandardCharsets.UTF_8);
    }

    private static void until(Callable<Boolean> holds) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!holds.call()) {
            assertThat(System.nanoTime()).as("it never held").isLessThan(end);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    /** The names of those who answer so many connections, one after the other. */
    private String answers(int port, int count) throws IOException {
        StringBuilder names = new StringBuilder();
        for (int i = 0; i < count; i++) {
            try (Socket socket = new Socket(HOST, port)) {
                socket.setSoTimeout(20_000);
                int name = socket.getInputStream().read();
                names.append(name < 0 ? '-' : (char) name);
            }
        }
        return names.toString();
    }

    @Test
    void serversTakeTurns() throws Exception {
        int port = gateway(100, at(echo(0, 'a')), at(echo(0, 'b')), at(echo(0, 'c')));

        assertThat(answers(port, 7)).isEqualTo("abcabca");
        assertThat(log()).contains("\"level\":\"info\"", "\"caller\":\"gateway\"",
                "\"msg\":\"ready to proxy client requests\",\"endpoints\":[\"127.0.0.1:");
    }

    @Test
    void oneThatIsDeadIsLeftOutAndComesBackAfterTheDelay() throws Exception {
        ServerSocket mortal = echo(0, 'b');
        int itsPort = mortal.getLocalPort();
        mortal.close();
        int port = gateway(100, at(echo(0, 'a')), at(itsPort));

        assertThat(answers(port, 6)).isEqualTo("aaaaaa");
        String address = "\"address\":\"127.0.0.1:" + itsPort
                + "\",\"interval\":\"100ms\",\"error\":\"dial tcp 127.0.0.1:"
                + itsPort + ": connect: connection refused\"";
        assertThat(log()).containsOnlyOnce("\"level\":\"warn\"")
                .contains("\"msg\":\"deactivated endpoint\"," + address);
        until(() -> log().contains(
                "\"msg\":\"failed to activate endpoint (stay inactive for another interval)\"," + address));
        echo(itsPort, 'b');
        until(() -> log().contains("\"msg\":\"activated\",\"address\":\"127.0.0.1:" + itsPort + "\""));
        assertThat(answers(port, 4)).contains("ab").contains("ba");
    }

    @Test
    void whereNobodyIsLeftTheConnectionEnds() throws Exception {
        ServerSocket mortal = echo(0, 'a');
        mortal.close();
        int port = gateway(100, at(mortal.getLocalPort()));

        assertThat(answers(port, 2)).isEqualTo("--");
    }

    /** etcd's gateway closes both directions as soon as one ends. */
    @Test
    void whoHasSaidAllIsAnsweredStill() throws Exception {
        int port = gateway(100, at(server(0, socket -> {
            byte[] heard = socket.getInputStream().readAllBytes();
            socket.getOutputStream().write(("heard " + heard.length).getBytes(StandardCharsets.US_ASCII));
        })));
        Socket client = connect(port);
        client.getOutputStream().write(new byte[100_000]);
        client.shutdownOutput();

        assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                .isEqualTo("heard 100000");
    }

    @Test
    void whoAnswersNoMoreStillListens() throws Exception {
        AtomicLong heard = new AtomicLong(-1);
        int port = gateway(100, at(server(0, socket -> {
            socket.shutdownOutput();
            heard.set(socket.getInputStream().readAllBytes().length);
        })));
        Socket client = connect(port);

        assertThat(client.getInputStream().read()).isEqualTo(-1);
        client.getOutputStream().write(new byte[5]);
        client.shutdownOutput();
        until(() -> heard.get() == 5);
    }

    @Test
    void whatBreaksOnOneSideEndsTheOther() throws Exception {
        int port = gateway(100, at(server(0, socket -> {
            socket.setSoLinger(true, 0); // Its end is a reset.
            socket.getInputStream().read();
        })));
        Socket client = connect(port);
        client.getOutputStream().write(1);

        assertThat(endOf(client)).isTrue();
    }

    /** Whether nothing more comes: an end, or a reset. */
    private static boolean endOf(Socket socket) {
        try {
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException open) {
            return false;
        } catch (IOException reset) {
            return true;
        }
    }

    /** A gateway that took in what nobody reads would let the server write on until its memory is full. */
    @Test
    void aSlowReaderStopsTheServer() throws Exception {
        byte[] part = new byte[64 << 10];
        AtomicLong written = new AtomicLong();
        long total = 256L << 20;
        int port = gateway(100, at(server(0, socket -> {
            OutputStream out = socket.getOutputStream();
            while (written.get() < total) {
                out.write(part);
                written.addAndGet(part.length);
            }
        })));
        Socket client = connect(port);
        long before;
        do {
            before = written.get();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
        } while (written.get() != before);

        // What stands still is in the kernel's buffers of two connections.
        assertThat(written.get()).isBetween(1L, 64L << 20);
        assertThat(client.getInputStream().transferTo(OutputStream.nullOutputStream())).isEqualTo(total);
    }

    @Test
    void aThousandConnectionsAreServedAtOnceAndGivenBack() throws Exception {
        ServerSocket listener = new ServerSocket(0, 1024, HOST);
        TcpProxy proxy = start(listener, 2_000, at(echo(0, 'a')), at(echo(0, 'b')));
        List<Socket> clients = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            clients.add(connect(listener.getLocalPort()));
        }
        for (int round = 0; round < 3; round++) {
            for (Socket client : clients) {
                client.getOutputStream().write(round);
            }
        }
        for (Socket client : clients) {
            InputStream in = client.getInputStream();
            assertThat(in.read()).isIn((int) 'a', (int) 'b');
            assertThat(in.readNBytes(3)).containsExactly(0, 1, 2);
        }
        assertThat(proxy.connections()).isBetween(1_000, 1_001);

        for (Socket client : clients) {
            client.close();
        }
        // One place is that of the connection which is waited for.
        until(() -> proxy.connections() <= 1);
    }

    @Test
    void whoIsOneTooManyWaits() throws Exception {
        int port = gateway(2, at(echo(0, 'a')));
        Socket first = connect(port);
        Socket second = connect(port);
        Socket third = connect(port);
        assertThat(first.getInputStream().read()).isEqualTo('a');
        assertThat(second.getInputStream().read()).isEqualTo('a');
        third.setSoTimeout(200);
        assertThatThrownBy(() -> third.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);

        first.close();
        third.setSoTimeout(20_000);
        assertThat(third.getInputStream().read()).isEqualTo('a');
    }
}
