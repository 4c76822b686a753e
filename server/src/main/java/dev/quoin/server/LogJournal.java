package dev.quoin.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

import dev.quoin.base.UnixDatagram;

/**
 * systemd's journal, in its own protocol: a datagram for a line, of fields {@code NAME=value}, or name, length and bytes
 * where the value has ends of lines. What it does not take goes to standard error.
 */
final class LogJournal implements LogSink {
    static final Path SOCKET = Path.of("/run/systemd/journal/socket");

    private final Path socket;
    private final LogSink otherwise;

    private LogJournal(Path socket, LogSink otherwise) {
        this.socket = socket;
        this.otherwise = otherwise;
    }

    static LogJournal open(Path socket, LogSink otherwise) throws IOException {
        if (!Files.exists(socket)) {
            throw new IOException("dial unixgram " + socket + ": connect: no such file or directory");
        }
        return new LogJournal(socket, otherwise);
    }

    @Override
    public void write(byte[] line, LogLevel level) {
        ByteArrayOutputStream datagram = new ByteArrayOutputStream();
        datagram.writeBytes(ascii("PRIORITY=" + level.syslog() + "\nSYSLOG_IDENTIFIER=etcd\nMESSAGE\n"));
        int length = line.length - 1;
        datagram.writeBytes(
                ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
        datagram.write(line, 0, length);
        datagram.write('\n');
        try {
            UnixDatagram.send(socket.toString(), datagram.toByteArray());
        } catch (IOException refused) {
            otherwise.write(line, level);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
