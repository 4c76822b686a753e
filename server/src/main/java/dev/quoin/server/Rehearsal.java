package dev.quoin.server;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;

import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.MemberListRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.disk.RealDisk;
import dev.quoin.member.Halt;
import dev.quoin.server.config.Flags;

/**
 * A short life of a member, and then of three as one, first in the clear and then with certificates between them, which the build plays so that the JVM can write down what a member
 * needs of classes, and which methods are hot and how they go ({@code -XX:AOTCacheOutput}): with that at hand a start takes
 * two thirds of the time, and what is hot is compiled in the first second instead of the first minute (docs/evidence/0007).
 * It asks over the members' own client ports, in frames of HTTP/2 written by hand, since a client is no part of the image.
 */
final class Rehearsal implements AutoCloseable {
    /** Set by the build alone. */
    private static final String PROPERTY = "quoin.rehearsal";
    /** The directory in which {@code quoin cert} has made certificates for the members m0, m1 and m2. */
    private static final String CERTIFICATES = "quoin.rehearsal.certificates";
    private static final int LONE_ROUNDS = 300;
    private static final int CROWD = 64;
    private static final int CROWDED_ROUNDS = 100;
    /** With certificates classes are what is to be noted: what is hot is hot without them, too. */
    private static final int SHARE_WITH_CERTIFICATES = 10;
    private static final int MEMBERS = 3;
    private static final int READ_MILLIS_MAX = 30_000;
    private static final int FRAME_BYTES_MAX = 1 << 24;
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int WINDOW_UPDATE = 8;
    /** Beside what a connection begins with: all answers together. */
    private static final int WINDOW_BYTES = 1 << 30;
    private static final int END_STREAM = 1;
    private static final int ACK = 1;
    private static final int END_HEADERS = 4;

    private final Socket socket;
    private final OutputStream out;
    private final DataInputStream in;
    private int nextStream = 1;

    private Rehearsal(InetSocketAddress server) throws IOException {
        socket = new Socket(server.getAddress(), server.getPort());
        socket.setSoTimeout(READ_MILLIS_MAX);
        socket.setTcpNoDelay(true);
        out = new BufferedOutputStream(socket.getOutputStream());
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    }

    static boolean isAsked() {
        return Boolean.getBoolean(PROPERTY);
    }

    /**
     * The life of a member that is there, and of three more in this process.
     *
     * @param directory where theirs are made
     * @param halt      how the process ends when one of them must not go on
     */
    static void play(InetSocketAddress server, Path directory, Halt halt) throws IOException, InterruptedException {
        ask(server, LONE_ROUNDS, CROWDED_ROUNDS);
        playCluster(directory.resolve("plain"), "http", halt, LONE_ROUNDS, CROWDED_ROUNDS);
        playCluster(directory.resolve("tls"), "https", halt, LONE_ROUNDS / SHARE_WITH_CERTIFICATES,
                CROWDED_ROUNDS / SHARE_WITH_CERTIFICATES);
    }

    private static void playCluster(Path directory, String scheme, Halt halt, int loneRounds, int crowdedRounds)
            throws IOException, InterruptedException {
        List<Server> members = cluster(directory, scheme, halt);
        try {
            for (Server member : members) {
                ask((InetSocketAddress) member.clientAddresses().getFirst(), loneRounds, crowdedRounds);
            }
        } finally {
            for (Server member : members) {
                member.stop();
            }
        }
    }

    /** Three members that start together, as each has to wait for another. */
    private static List<Server> cluster(Path directory, String scheme, Halt halt)
            throws IOException, InterruptedException {
        List<String> hosts = freeHosts(2 * MEMBERS);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < MEMBERS; i++) {
            names.add("m" + i + "=" + scheme + "://" + hosts.get(MEMBERS + i));
        }
        List<Future<Server>> starting = new ArrayList<>();
        List<Server> members = new ArrayList<>();
        try (ExecutorService starts = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < MEMBERS; i++) {
                String client = "http://" + hosts.get(i);
                String peer = scheme + "://" + hosts.get(MEMBERS + i);
                List<String> flags = new ArrayList<>(List.of("--name", "m" + i, "--data-dir",
                        directory.resolve("m" + i).toString(), "--listen-client-urls", client,
                        "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls",
                        peer, "--initial-cluster", String.join(",", names)));
                if (scheme.equals("https")) {
                    flags.addAll(certificates("m" + i));
                }
                starting.add(starts.submit(() -> start(flags, halt)));
            }
            for (Future<Server> one : starting) {
                members.add(one.get());
            }
        } catch (ExecutionException failed) {
            throw new IOException("a member of the rehearsal did not start: " + failed.getCause(), failed);
        }
        return members;
    }

    private static List<String> certificates(String name) {
        String directory = Objects.requireNonNull(System.getProperty(CERTIFICATES), CERTIFICATES) + "/" + name;
        return List.of("--peer-cert-file", directory + "/peer.pem", "--peer-key-file", directory + "/peer.key",
                "--peer-trusted-ca-file", directory + "/peer-ca.pem", "--peer-client-cert-auth");
    }

    private static Server start(List<String> flags, Halt halt) throws Exception {
        if (Flags.read(flags.toArray(String[]::new), Map.of()) instanceof Flags.Wish.Start(Flags given)) {
            return Server.start(ServerConfig.of(given), new RealDisk(), new RealClock(), halt, () -> {});
        }
        throw new IllegalStateException("these flags start nothing: " + flags);
    }

    private static List<String> freeHosts(int count) throws IOException {
        List<ServerSocket> taken = new ArrayList<>();
        List<String> hosts = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                taken.add(socket);
                hosts.add("127.0.0.1:" + socket.getLocalPort());
            }
        } finally {
            for (ServerSocket socket : taken) {
                socket.close();
            }
        }
        return hosts;
    }

    /** Asks what clients ask, many times: one thing at a time, then many at once. */
    private static void ask(InetSocketAddress server, int loneRounds, int crowdedRounds) throws IOException {
        health(server);
        try (Rehearsal client = new Rehearsal(server)) {
            client.out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            client.frame(SETTINGS, 0, 0, new byte[0]);
            client.frame(WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(WINDOW_BYTES).array());
            for (int i = 0; i < loneRounds; i++) {
                client.round(i, 1);
            }
            for (int i = 0; i < crowdedRounds; i++) {
                client.round(i, CROWD);
            }
        }
        health(server);
    }

    private static void health(InetSocketAddress server) throws IOException {
        try (Socket socket = new Socket(server.getAddress(), server.getPort())) {
            socket.setSoTimeout(READ_MILLIS_MAX);
            socket.getOutputStream().write("GET /health HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readAllBytes();
        }
    }

    /** Each kind of call, so many at once. */
    private void round(int number, int crowd) throws IOException {
        ByteString key = ByteString.copyFromUtf8("key-" + number % 50);
        ByteString value = ByteString.copyFromUtf8("value-" + number);
        PutRequest put = PutRequest.newBuilder().setKey(key).setValue(value).build();
        RangeRequest get = RangeRequest.newBuilder().setKey(key).build();
        call(crowd, "etcdserverpb.KV/Put", put);
        call(crowd, "etcdserverpb.KV/Range", get);
        call(crowd, "etcdserverpb.KV/Range", get.toBuilder().setSerializable(true).build());
        call(crowd, "etcdserverpb.KV/Txn", TxnRequest.newBuilder()
                .addCompare(Compare.newBuilder().setKey(key).setTarget(Compare.CompareTarget.MOD))
                .addSuccess(RequestOp.newBuilder().setRequestPut(put))
                .addFailure(RequestOp.newBuilder().setRequestRange(get)).build());
        call(1, "etcdserverpb.KV/Range", RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("key"))
                .setRangeEnd(ByteString.copyFromUtf8("kez")).setLimit(10).build());
        call(1, "etcdserverpb.KV/DeleteRange", DeleteRangeRequest.newBuilder().setKey(key).build());
        call(1, "etcdserverpb.Maintenance/Status", StatusRequest.getDefaultInstance());
        call(1, "etcdserverpb.Cluster/MemberList", MemberListRequest.getDefaultInstance());
    }

    private void call(int times, String method, MessageLite request) throws IOException {
        Set<Integer> streams = new HashSet<>();
        for (int i = 0; i < times; i++) {
            streams.add(nextStream);
            send(nextStream, method, request);
            nextStream += 2;
        }
        out.flush();
        awaitEnds(streams);
    }

    private void send(int stream, String method, MessageLite request) throws IOException {
        frame(HEADERS, END_HEADERS, stream, headers(":method", "POST", ":scheme", "http", ":path", "/" + method,
                ":authority", "localhost", "content-type", "application/grpc", "te", "trailers"));
        byte[] message = request.toByteArray();
        frame(DATA, END_STREAM, stream,
                ByteBuffer.allocate(5 + message.length).put((byte) 0).putInt(message.length).put(message).array());
    }

    /** Literals that nobody has to remember, none of them longer than 126 bytes (RFC 7541 §6.2.2). */
    private static byte[] headers(String... namesAndValues) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (int i = 0; i < namesAndValues.length; i++) {
            if (i % 2 == 0) {
                block.write(0);
            }
            block.write(namesAndValues[i].length());
            block.writeBytes(namesAndValues[i].getBytes(StandardCharsets.US_ASCII));
        }
        return block.toByteArray();
    }

    private void frame(int type, int flags, int stream, byte[] payload) throws IOException {
        out.write(ByteBuffer.allocate(9 + payload.length).put((byte) (payload.length >> 16))
                .putShort((short) payload.length).put((byte) type).put((byte) flags).putInt(stream).put(payload)
                .array());
    }

    private void awaitEnds(Set<Integer> streams) throws IOException {
        while (!streams.isEmpty()) {
            int lengthAndType = in.readInt();
            int flags = in.readUnsignedByte();
            int of = in.readInt();
            byte[] payload = in.readNBytes((lengthAndType >>> 8) % FRAME_BYTES_MAX);
            int type = lengthAndType & 0xff;
            if ((type == SETTINGS || type == PING) && (flags & ACK) == 0) {
                frame(type, ACK, 0, type == PING ? payload : new byte[0]);
                out.flush();
            }
            if ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0) {
                streams.remove(of);
            }
            if (type == RST_STREAM && streams.contains(of)) {
                throw new EOFException("stream " + of + " was reset");
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
