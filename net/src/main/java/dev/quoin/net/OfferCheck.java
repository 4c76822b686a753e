package dev.quoin.net;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.ApplicationProtocolNames;
import org.jspecify.annotations.Nullable;

/**
 * Stands before the handshake and reads along: a client that offers protocols, and none that is spoken here, is told so by the
 * alert that RFC 7301 §3.2 has for it, as etcd does; BoringSSL, as Netty has it, would go on without one. Everything else passes
 * as it is, above all what is no ClientHello: what is wrong with it is for the handshake to say.
 */
final class OfferCheck extends ChannelInboundHandlerAdapter {
    private static final Set<String> SPOKEN = Set.of(ApplicationProtocolNames.HTTP_2,
            ApplicationProtocolNames.HTTP_1_1);
    /** Of a hello that is looked at: real ones have less than two thousand. */
    private static final int BYTES_MAX = 16 << 10;
    private static final int RECORD_HEAD = 5;
    private static final int HANDSHAKE = 22;
    private static final int CLIENT_HELLO = 1;
    private static final int HELLO_HEAD = 4;
    private static final int VERSION_AND_RANDOM = 2 + 32;
    private static final int EXTENSION_ALPN = 16;
    /** A record with the fatal alert no_application_protocol. */
    private static final byte[] ALERT = {21, 3, 3, 0, 2, 2, 120};

    /** Hears of what is wrong with an offer, before the connection is closed. */
    interface Refused {
        void refused(ChannelHandlerContext ctx, String why);
    }

    private final Refused refused;
    private byte[] hello = new byte[0]; // what has come of it, with the heads of its records
    private boolean over;

    OfferCheck(Refused refused) {
        this.refused = refused;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (!(message instanceof ByteBuf bytes)) {
            ctx.fireChannelRead(message);
            return;
        }
        if (over) {
            bytes.release();
            return;
        }
        int before = hello.length;
        hello = java.util.Arrays.copyOf(hello, before + Math.min(bytes.readableBytes(), BYTES_MAX - before));
        bytes.getBytes(bytes.readerIndex(), hello, before, hello.length - before);
        ByteBuffer body = body(hello);
        if (body == null && hello.length < BYTES_MAX) {
            ctx.fireChannelRead(message); // the rest has yet to come
            return;
        }
        List<String> offered = body == null ? List.of() : offered(body);
        if (offered.isEmpty() || offered.stream().anyMatch(SPOKEN::contains)) {
            ctx.pipeline().remove(this);
            ctx.fireChannelRead(message);
            return;
        }
        bytes.release();
        over = true;
        refused.refused(ctx, "tls: client requested unsupported application protocols (" + quoted(offered) + ")");
        ctx.writeAndFlush(Unpooled.wrappedBuffer(ALERT)).addListener(ChannelFutureListener.CLOSE);
    }

    /** The ClientHello, put together from its records; null if it is not all there; empty if it is none. */
    private static @Nullable ByteBuffer body(byte[] seen) {
        ByteBuffer records = ByteBuffer.wrap(seen);
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        while (records.remaining() >= RECORD_HEAD) {
            int type = records.get();
            records.getShort();
            int length = Short.toUnsignedInt(records.getShort());
            if (type != HANDSHAKE) {
                return ByteBuffer.allocate(0);
            }
            int there = Math.min(length, records.remaining());
            message.write(seen, records.position(), there);
            records.position(records.position() + there);
        }
        ByteBuffer whole = ByteBuffer.wrap(message.toByteArray());
        if (whole.remaining() < HELLO_HEAD) {
            return null;
        }
        int head = whole.getInt();
        if (head >>> 24 != CLIENT_HELLO) {
            return ByteBuffer.allocate(0);
        }
        int length = head & 0xff_ffff;
        return whole.remaining() < length ? null : whole.slice(HELLO_HEAD, length);
    }

    /** The names of its extension for protocols (RFC 8446 §4.1.2, RFC 7301 §3.1); none of a hello that is not well-formed. */
    private static List<String> offered(ByteBuffer hello) {
        List<String> names = new ArrayList<>();
        try {
            hello.position(VERSION_AND_RANDOM);
            skip(hello, Byte.toUnsignedInt(hello.get()));
            skip(hello, Short.toUnsignedInt(hello.getShort()));
            skip(hello, Byte.toUnsignedInt(hello.get()));
            hello.getShort();
            while (hello.hasRemaining()) {
                int type = Short.toUnsignedInt(hello.getShort());
                int length = Short.toUnsignedInt(hello.getShort());
                if (type != EXTENSION_ALPN) {
                    skip(hello, length);
                    continue;
                }
                ByteBuffer list = hello.slice(hello.position(), length);
                skip(hello, length);
                list.getShort();
                while (list.hasRemaining()) {
                    byte[] name = new byte[Byte.toUnsignedInt(list.get())];
                    list.get(name);
                    names.add(new String(name, StandardCharsets.ISO_8859_1));
                }
            }
        } catch (BufferUnderflowException | IllegalArgumentException | IndexOutOfBoundsException e) {
            return List.of();
        }
        return names;
    }

    private static void skip(ByteBuffer bytes, int count) {
        bytes.position(bytes.position() + count);
    }

    /** As Go prints a list of strings by %q; a client may put anything into its names. */
    private static String quoted(List<String> names) {
        return names.stream().map(OfferCheck::quoted).collect(Collectors.joining(" ", "[", "]"));
    }

    private static String quoted(String name) {
        StringBuilder text = new StringBuilder("\"");
        for (int at = 0; at < name.length(); at++) {
            char c = name.charAt(at);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                text.append(String.format("\\x%02x", (int) c));
            } else {
                text.append(c);
            }
        }
        return text.append('"').toString();
    }
}
