package dev.quoin.net;

import java.util.Arrays;

import io.netty.buffer.ByteBuf;

import dev.quoin.base.Bytes;

/**
 * Cuts the DATA of one call into length-prefixed messages. A message gets an array of its own; the array grows with what
 * has come, so that a length field alone costs nothing. Owned by its call's loop.
 */
final class MessageReader {
    private static final int FIRST_BYTES = 64 * 1024;

    /** Where whole messages go, and who pays for what is not whole yet. */
    interface Target {
        void message(boolean compressed, int flag, Bytes message) throws StatusException;

        /** The array of the present message grew by so many bytes. */
        void grew(int bytes) throws StatusException;

        boolean over();
    }

    private final Target target;
    private final int bytesMax;
    private int prefixRead;
    private int flag;
    private long length;
    private byte[] body = Bytes.EMPTY.array();
    private int bodyRead;

    MessageReader(Target target, int bytesMax) {
        this.target = target;
        this.bytesMax = bytesMax;
    }

    boolean insideBody() {
        return prefixRead == 5;
    }

    void feed(ByteBuf data) throws StatusException {
        while (data.isReadable() && !target.over()) {
            if (prefixRead < 5 && !prefix(data)) {
                return;
            }
            if (bodyRead < length) {
                body(data);
            }
            if (bodyRead == length) {
                emit();
            }
        }
    }

    private boolean prefix(ByteBuf data) throws StatusException {
        if (prefixRead == 0 && data.readableBytes() >= 5) {
            flag = data.readUnsignedByte();
            length = data.readUnsignedInt();
            prefixRead = 5;
        } else {
            prefixBytes(data);
        }
        if (prefixRead < 5) {
            return false;
        }
        if (length > bytesMax) {
            throw new StatusException(Status.Code.RESOURCE_EXHAUSTED,
                    "grpc: received message larger than max (" + length + " vs. " + bytesMax + ")");
        }
        body = length == 0 ? Bytes.EMPTY.array() : new byte[(int) Math.min(length, FIRST_BYTES)];
        bodyRead = 0;
        target.grew(body.length);
        return true;
    }

    private void prefixBytes(ByteBuf data) {
        while (prefixRead < 5 && data.isReadable()) {
            int next = data.readUnsignedByte();
            if (prefixRead == 0) {
                flag = next;
                length = 0;
            } else {
                length = length << 8 | next;
            }
            prefixRead++;
        }
    }

    private void body(ByteBuf data) throws StatusException {
        int take = (int) Math.min(data.readableBytes(), length - bodyRead);
        if (bodyRead + take > body.length) {
            int larger = (int) Math.min(length, Math.max(2L * body.length, bodyRead + take));
            target.grew(larger - body.length);
            body = Arrays.copyOf(body, larger);
        }
        data.readBytes(body, bodyRead, take);
        bodyRead += take;
    }

    private void emit() throws StatusException {
        Bytes message = Bytes.of(body);
        body = Bytes.EMPTY.array();
        prefixRead = 0;
        bodyRead = 0;
        target.message(flag == 1, flag, message);
        length = 0;
    }
}
