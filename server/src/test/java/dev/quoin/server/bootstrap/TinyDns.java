package dev.quoin.server.bootstrap;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A name server that knows SRV records and nothing else (RFC 1035, RFC 2782): one question, one packet. */
final class TinyDns implements AutoCloseable {
    private static final int SRV = 33;
    private static final int INTERNET = 1;
    private static final int ANSWER = 0x8180;
    private static final int NO_SUCH_NAME = 3;

    private final DatagramSocket socket;
    private final Map<String, List<SrvRecords.Srv>> records = new ConcurrentHashMap<>();

    TinyDns() throws IOException {
        socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().name("tiny-dns").start(this::serve);
    }

    int port() {
        return socket.getLocalPort();
    }

    /** A name without the dot at its end. */
    TinyDns with(String name, SrvRecords.Srv... answer) {
        records.put(name, List.of(answer));
        return this;
    }

    private void serve() {
        while (!socket.isClosed()) {
            try {
                DatagramPacket question = new DatagramPacket(new byte[512], 512);
                socket.receive(question);
                byte[] answer = answer(ByteBuffer.wrap(question.getData(), 0, question.getLength()));
                socket.send(new DatagramPacket(answer, answer.length, question.getSocketAddress()));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private byte[] answer(ByteBuffer question) throws IOException {
        int id = question.getShort();
        question.position(12);
        StringBuilder name = new StringBuilder();
        for (int length = question.get(); length > 0; length = question.get()) {
            byte[] label = new byte[length];
            question.get(label);
            name.append(name.isEmpty() ? "" : ".").append(new String(label, StandardCharsets.US_ASCII));
        }
        int type = question.getShort();
        List<SrvRecords.Srv> found = type == SRV
                ? records.getOrDefault(name.toString().toLowerCase(Locale.ROOT), List.of())
                : List.of();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeShort(id);
        out.writeShort(ANSWER | (found.isEmpty() ? NO_SUCH_NAME : 0));
        out.writeShort(1);
        out.writeShort(found.size());
        out.writeInt(0);
        writeName(out, name.toString());
        out.writeShort(type);
        out.writeShort(INTERNET);
        for (SrvRecords.Srv record : found) {
            writeName(out, name.toString());
            out.writeShort(SRV);
            out.writeShort(INTERNET);
            out.writeInt(60);
            ByteArrayOutputStream data = new ByteArrayOutputStream();
            DataOutputStream fields = new DataOutputStream(data);
            fields.writeShort(record.priority());
            fields.writeShort(record.weight());
            fields.writeShort(record.port());
            writeName(fields, record.target());
            out.writeShort(data.size());
            data.writeTo(out);
        }
        return bytes.toByteArray();
    }

    private static void writeName(DataOutputStream out, String name) throws IOException {
        for (String label : name.split("\\.", -1)) {
            out.writeByte(label.length());
            out.writeBytes(label);
        }
        out.writeByte(0);
    }

    @Override
    public void close() {
        socket.close();
    }
}
