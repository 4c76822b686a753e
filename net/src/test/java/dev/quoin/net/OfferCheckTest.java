package dev.quoin.net;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Which offers of protocols go on to the handshake, however their bytes come. */
class OfferCheckTest {
    private static final byte[] ALERT = {21, 3, 3, 0, 2, 2, 120};

    private final List<String> refusals = new ArrayList<>();

    private static byte[] hello(String... protocols) throws GeneralSecurityException, SSLException {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine("localhost", 1);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setApplicationProtocols(protocols);
        engine.setSSLParameters(parameters);
        ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), record);
        return Arrays.copyOf(record.array(), record.position());
    }

    /** What goes on, given so many bytes at a time. */
    private byte[] passed(EmbeddedChannel channel, byte[] bytes, int atATime) {
        ByteBuf all = Unpooled.buffer();
        for (int at = 0; at < bytes.length; at += atATime) {
            channel.writeInbound(Unpooled.copiedBuffer(bytes, at, Math.min(atATime, bytes.length - at)));
            for (ByteBuf part = channel.readInbound(); part != null; part = channel.readInbound()) {
                all.writeBytes(part);
                part.release();
            }
        }
        return ByteBufUtil.getBytes(all);
    }

    private EmbeddedChannel channel() {
        return new EmbeddedChannel(new OfferCheck((ctx, why) -> refusals.add(why)));
    }

    @Test
    void whatIsSpokenPassesAsItIs() throws Exception {
        for (String[] offer : new String[][]{{}, {"h2"}, {"http/1.1"}, {"spdy/3", "h2"}}) {
            for (int atATime : new int[]{1, 7, 5_000}) {
                EmbeddedChannel channel = channel();
                byte[] hello = hello(offer);
                assertThat(passed(channel, hello, atATime)).isEqualTo(hello);
                assertThat(channel.pipeline().get(OfferCheck.class)).isNull();
                assertThat(channel.finish()).isFalse();
            }
        }
        assertThat(refusals).isEmpty();
    }

    @Test
    void whatIsNotSpokenIsRefusedByName() throws Exception {
        for (int atATime : new int[]{1, 5_000}) {
            EmbeddedChannel channel = channel();
            byte[] hello = hello("spdy/3", "a\"\u0007");
            assertThat(passed(channel, hello, atATime).length).isLessThan(hello.length);
            ByteBuf alert = channel.readOutbound();
            assertThat(ByteBufUtil.getBytes(alert)).isEqualTo(ALERT);
            alert.release();
            assertThat(channel.isOpen()).isFalse();
            channel.finishAndReleaseAll();
        }
        assertThat(refusals).hasSize(2).allMatch(
                why -> why.equals(
                        "tls: client requested unsupported application protocols ([\"spdy/3\" \"a\\\"\\x07\"])"));
    }

    /** What is wrong with these is for the handshake to say. */
    @Test
    void whatIsNoHelloPasses() throws Exception {
        byte[] cut = hello("spdy/3");
        cut[43] = (byte) 0xff; // the length of its session: nonsense from here on
        byte[] endless = new byte[40_000];
        Arrays.fill(endless, (byte) 0xff);
        endless[0] = 22;
        for (byte[] bytes : List.of(cut, endless, new byte[]{22, 3, 1, 0, 4, 2, 0, 0, 0},
                new byte[]{23, 3, 1, 0, 1, 9})) {
            EmbeddedChannel channel = channel();
            assertThat(passed(channel, bytes, 1_000)).isEqualTo(bytes);
            channel.finishAndReleaseAll();
        }
    }
}
