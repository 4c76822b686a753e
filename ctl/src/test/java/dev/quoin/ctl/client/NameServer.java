package dev.quoin.ctl.client;

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

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A name server that knows the records it is given. One question, one packet (RFC 1035, RFC 2782); a record is written {@code priority
 * weight port target}.
 */
public final class NameServer implements AutoCloseable {
    private static final int SRV = 33;
    private static final int ANSWER = 0x8180;
    private static final int NO_SUCH_NAME = 3;

    private final DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    private final Map<String, List<String>> records;

    /** @param records by name */
    public NameServer(Map<String, List<String>> records) throws IOException {
        this.records = records;
        Thread.ofPlatform().daemon().start(this::serve);
    }

    private void serve() {
        try {
            while (true) {
                DatagramPacket question = new DatagramPacket(new byte[512], 512);
                socket.receive(question);
                byte[] answer = answer(question.getData(), question.getLength());
                socket.send(new DatagramPacket(answer, answer.length, question.getSocketAddress()));
            }
        } catch (IOException closed) {
            assertThat(socket.isClosed()).isTrue();
        }
    }

    private byte[] answer(byte[] packet, int length) throws IOException {
        ByteBuffer question = ByteBuffer.wrap(packet, 12, length - 12);
        StringBuilder name = new StringBuilder();
        for (int label = question.get(); label > 0; label = question.get()) {
            byte[] bytes = new byte[label];
            question.get(bytes);
            name.append(name.isEmpty() ? "" : ".").append(new String(bytes, StandardCharsets.US_ASCII));
        }
        List<String> found = records.getOrDefault(name.toString().toLowerCase(Locale.ROOT), List.of());
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(answer);
        out.write(packet, 0, 2);
        out.writeShort(ANSWER | (found.isEmpty() ? NO_SUCH_NAME : 0));
        out.writeShort(1);
        out.writeShort(found.size());
        out.writeInt(0);
        out.write(packet, 12, question.position() - 12 + 4);
        for (String record : found) {
            // Its name is that of the question.
            out.writeShort(0xc00c);
            out.writeShort(SRV);
            out.writeShort(1);
            out.writeInt(60);
            byte[] data = data(record.split(" ", -1));
            out.writeShort(data.length);
            out.write(data);
        }
        return answer.toByteArray();
    }

    private static byte[] data(String[] fields) throws IOException {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(data);
        for (int i = 0; i < 3; i++) {
            out.writeShort(Integer.parseInt(fields[i]));
        }
        for (String label : fields[3].split("\\.", -1)) {
            out.writeByte(label.length());
            out.writeBytes(label);
        }
        out.writeByte(0);
        return data.toByteArray();
    }

    public int port() {
        return socket.getLocalPort();
    }

    @Override
    public void close() {
        socket.close();
    }
}
