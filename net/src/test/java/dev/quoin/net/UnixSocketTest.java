package dev.quoin.net;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A socket in the file system, where one was left behind. */
class UnixSocketTest {
    @Test
    void aSocketLeftBehindIsReplaced(@TempDir Path directory) throws Exception {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("s"));
        ServerSocketChannel before = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
        before.close();
        try (NetServer server = NetServer.start(NetConfig.plain(address, TestService.router(), TestService::http));
                SocketChannel client = SocketChannel.open(address)) {
            assertThat(server.addresses()).hasSize(1);
            client.write(ByteBuffer.wrap("GET /x HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
            ByteBuffer answer = ByteBuffer.allocate(12);
            while (answer.hasRemaining() && client.read(answer) >= 0) {
                assertThat(answer.position()).isPositive();
            }
            assertThat(new String(answer.array(), StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 404");
        }
    }
}
