package dev.quoin.net;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** TLS and plain text on one port, what is agreed on in the handshake, and who the client is. */
class TlsTest {
    private static Path file(String name) throws URISyntaxException {
        return Path.of(java.util.Objects.requireNonNull(TlsTest.class.getResource("/tls/" + name)).toURI());
    }

    private static NetServer start(NetTls tls) throws IOException {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        HttpHandler http = request -> HttpResponse.text(200,
                request.peer().tls() + " " + request.peer().commonName() + " " + request.headers().first("host"));
        return NetServer.start(NetConfig.plain(address, TestService.router(), http).withTls(tls,
                List.of(new NetConfig.Listen(address, true, true))));
    }

    private static NetTls server() throws Exception {
        return new NetTls(file("server.pem"), file("server.key"), null);
    }

    private static SSLContext context(boolean withCertificate) throws Exception {
        CertificateFactory certificates = CertificateFactory.getInstance("X.509");
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        trust.setCertificateEntry("ca", certificate(certificates, "ca.pem"));
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(trust);
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        if (withCertificate) {
            String pem = Files.readString(file("client.key")).replaceAll("-----[^-]*-----|\\s", "");
            PrivateKey key = KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
            own.setKeyEntry("client", key, new char[0],
                    new Certificate[]{certificate(certificates, "client.pem")});
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    private static Certificate certificate(CertificateFactory factory, String name) throws Exception {
        try (InputStream in = Files.newInputStream(file(name))) {
            return factory.generateCertificate(in);
        }
    }

    private static java.net.http.HttpResponse<String> get(NetServer server, HttpClient.Version version, String scheme,
            boolean withCertificate) throws Exception {
        try (HttpClient client = HttpClient.newBuilder().sslContext(context(withCertificate)).version(version)
                .build()) {
            URI uri = URI.create(scheme + "://localhost:" + server.port() + "/");
            return client.send(java.net.http.HttpRequest.newBuilder(uri).build(),
                    java.net.http.HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void bothVersionsAreServedEncryptedAndPlainOnOnePort() throws Exception {
        try (NetServer server = start(server())) {
            String host = "localhost:" + server.port();
            java.net.http.HttpResponse<String> two = get(server, HttpClient.Version.HTTP_2, "https", false);
            assertThat(two.version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(two.body()).isEqualTo("true null " + host);
            java.net.http.HttpResponse<String> one = get(server, HttpClient.Version.HTTP_1_1, "https", false);
            assertThat(one.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
            assertThat(one.body()).isEqualTo("true null " + host);
            assertThat(get(server, HttpClient.Version.HTTP_1_1, "http", false).body()).isEqualTo("false null " + host);
        }
    }

    @Test
    void aClientWithACertificateIsKnownByItsCommonName() throws Exception {
        NetTls tls = new NetTls(file("server.pem"), file("server.key"), file("ca.pem"));
        try (NetServer server = start(tls)) {
            assertThat(get(server, HttpClient.Version.HTTP_2, "https", true).body()).startsWith("true client ");
            assertThatThrownBy(() -> get(server, HttpClient.Version.HTTP_2, "https", false))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void anOfferOfForeignProtocolsOnlyIsRefusedByName() throws Exception {
        try (NetServer server = start(server());
                SSLSocket socket = (SSLSocket) context(false).getSocketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), server.port())) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[]{"spdy/3"});
            socket.setSSLParameters(parameters);
            assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLException.class)
                    .hasMessageContaining("no_application_protocol");
        }
    }

    /** Half a handshake, and silence: the beginning of a record, or a whole ClientHello. */
    @Test
    void cve202673500AHandshakeThatDoesNotComeToItsEndIsCutOff() throws Exception {
        List<NetMetrics.Refusal> refusals = new CopyOnWriteArrayList<>();
        NetMetrics counting = new NetMetrics() {
            @Override
            public void refused(Refusal why) {
                refusals.add(why);
            }
        };
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        NetConfig config = new NetConfig(List.of(new NetConfig.Listen(address, false, true)), TestService.router(),
                request -> HttpResponse.text(200, ""),
                NetLimits.defaults().change().handshakeMillisMax(200).build(), counting, null, server(), 1);
        try (NetServer server = NetServer.start(config)) {
            for (byte[] part : List.of(new byte[]{0x16}, clientHello())) {
                try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                    socket.setSoTimeout(10_000);
                    socket.getOutputStream().write(part);
                    socket.getInputStream().readAllBytes();
                }
            }
            assertThat(refusals).containsExactly(NetMetrics.Refusal.TLS, NetMetrics.Refusal.TLS);
        }
    }

    static byte[] clientHello() throws Exception {
        SSLEngine engine = context(false).createSSLEngine("localhost", 1);
        engine.setUseClientMode(true);
        ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), record);
        return Arrays.copyOf(record.array(), record.position());
    }

    /** TLS 1.2 would let a client ask for one handshake after the other, and show another certificate in each. */
    @Test
    void aConnectionHasOneHandshake() throws Exception {
        try (NetServer server = start(server());
                SSLSocket socket = (SSLSocket) context(false).getSocketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setEnabledProtocols(new String[]{"TLSv1.2"});
            socket.setSoTimeout(10_000);
            socket.startHandshake();
            assertThatThrownBy(() -> {
                socket.startHandshake();
                socket.getInputStream().read();
            }).isInstanceOf(SSLException.class);
        }
    }

    @Test
    void aCertificateIsReadAgainWhenItHasChangedAndABadOneChangesNothing(@TempDir Path directory) throws Exception {
        Path chain = directory.resolve("chain.pem");
        Path key = directory.resolve("key.pem");
        Files.copy(file("server.pem"), chain);
        Files.copy(file("server.key"), key);
        try (NetServer server = start(new NetTls(chain, key, null))) {
            assertThat(server.refreshTls()).isFalse();
            Files.writeString(chain, "no certificate");
            assertThatThrownBy(server::refreshTls).isInstanceOf(IOException.class).hasMessageContaining("chain.pem");
            assertThat(server.refreshTls()).as("said once").isFalse();
            assertThat(subject(server)).isEqualTo("CN=server");
            Files.copy(file("client.pem"), chain, StandardCopyOption.REPLACE_EXISTING);
            Files.copy(file("client.key"), key, StandardCopyOption.REPLACE_EXISTING);
            assertThat(server.refreshTls()).isTrue();
            assertThat(subject(server)).isEqualTo("CN=client");
        }
    }

    private static String subject(NetServer server) throws Exception {
        try (SSLSocket socket = (SSLSocket) context(false).getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.startHandshake();
            return socket.getSession().getPeerPrincipal().getName();
        }
    }
}
