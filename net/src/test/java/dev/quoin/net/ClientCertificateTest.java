package dev.quoin.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.CertificateExpiredException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.OneKey;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Who is let in by what it shows, as etcd decides; and which files can be read. Seen from a client. */
class ClientCertificateTest {
    private static Path file(String name) throws URISyntaxException {
        return Path.of(java.util.Objects.requireNonNull(ClientCertificateTest.class.getResource("/tls/clients/" + name))
                .toURI());
    }

    private static NetServer start(NetTls.Clients clients, TlsProtocols protocols) throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        NetTls tls = new NetTls("test", file("rsa.pem"), file("rsa.key"), clients, protocols);
        HttpHandler http = request -> HttpResponse.text(200, String.valueOf(request.peer().commonName()));
        return NetServer.start(NetConfig.plain(address, TestService.router(), http).withTls(tls,
                List.of(new NetConfig.Listen(address, false, true))));
    }

    private static DialRecord ask(NetServer server, DialTls tls) throws Exception {
        try (Dialler dialler = new Dialler(NetLimits.defaults(), tls)) {
            DialRecord record = new DialRecord();
            dialler.open(new DialTarget("127.0.0.1", server.port(), true),
                    DialRequest.get("/", HttpFields.EMPTY, 10_000, 10_000), record);
            assertThat(record.end()).isNotNull();
            return record;
        }
    }

    private static DialTls showing(String name) throws Exception {
        return new DialTls(file("ca.pem"), file(name + ".pem"), file(name + ".key"), null);
    }

    /** The name that the server knows the client by, or {@code refused}. */
    private static String knownAs(NetServer server, String name) throws Exception {
        DialRecord record = ask(server, showing(name));
        return record.end() instanceof DialEnd.Failed ? "refused" : record.text();
    }

    private static NetTls.Clients asking(@Nullable Path revoked, List<String> commonNames, List<String> hostNames,
            boolean atAddress) throws Exception {
        return new NetTls.Clients(true, file("ca.pem"), revoked, commonNames, hostNames, atAddress);
    }

    @Test
    void whoeverTheAuthoritySignedAndIsStillValid() throws Exception {
        try (NetServer server = start(NetTls.Clients.signedBy(file("ca.pem")), TlsProtocols.DEFAULT)) {
            assertThat(knownAs(server, "alice")).isEqualTo("alice");
            assertThat(knownAs(server, "carol")).isEqualTo("carol");
            assertThat(knownAs(server, "expired")).isEqualTo("refused");
            assertThat(ask(server, new DialTls(file("ca.pem"), null, null, null)).end())
                    .isInstanceOf(DialEnd.Failed.class);
        }
    }

    /** BoringSSL, as Netty has it, does not ask for such a certificate: who comes again meets the JDK's engine. */
    @Test
    void aClientWithAKeyOfAnotherKindIsLetInWhenItComesAgain() throws Exception {
        try (NetServer server = start(NetTls.Clients.signedBy(file("ca.pem")), TlsProtocols.DEFAULT)) {
            String first = knownAs(server, "ed");
            assertThat(first).isIn("refused", "ed");
            assertThat(knownAs(server, "ed")).isEqualTo("ed");
            assertThat(knownAs(server, "alice")).isEqualTo("alice");
        }
    }

    /** With what is offered by itself BoringSSL serves where it is there; a suite that it lacks is for the JDK. */
    @Test
    void whoseEngineServes() throws Exception {
        TlsProtocols old = TlsProtocols.DEFAULT.withSuitesOf12(List.of("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"));
        assertThat(isForBoringSsl(TlsProtocols.DEFAULT, "alice")).isEqualTo(OpenSsl.isAvailable());
        assertThat(isForBoringSsl(old, "alice")).isFalse();
        assertThat(isForBoringSsl(TlsProtocols.DEFAULT, "ed")).isFalse();
    }

    private static boolean isForBoringSsl(TlsProtocols protocols, String name) throws Exception {
        List<X509Certificate> chain = Pem.certificates(file(name + ".pem"));
        OneKey keys = new OneKey(chain, Pem.key(file(name + ".key"), chain.getFirst()));
        return TlsEngines.isForBoringSsl(new TlsEngines.Parts(true, keys, null, false, protocols));
    }

    /** What was found good once is known; when its time is over it is refused all the same. */
    @Test
    void whoComesAgainIsStillCheckedForItsTime() throws Exception {
        InstantSource later = () -> Instant.now().plus(Duration.ofDays(100_000));
        TrustManager anybody = InsecureTrustManagerFactory.INSTANCE.getTrustManagers()[0];
        ClientCheck check = new ClientCheck((X509ExtendedTrustManager) anybody,
                NetTls.Clients.signedBy(file("ca.pem")), Set.of(), later);
        X509Certificate[] chain = {Pem.certificates(file("alice.pem")).getFirst()};
        SSLEngine engine = SSLContext.getDefault().createSSLEngine("127.0.0.1", 1);
        check.checkClientTrusted(chain, "UNKNOWN", engine);
        assertThatThrownBy(() -> check.checkClientTrusted(chain, "UNKNOWN", engine))
                .isInstanceOf(CertificateExpiredException.class);
    }

    /** Counted where it is logged. */
    @Test
    void aRefusalIsToldOnce() throws Exception {
        AtomicInteger refusals = new AtomicInteger();
        NetMetrics counting = new NetMetrics() {
            @Override
            public void refused(Refusal why) {
                refusals.addAndGet(why == Refusal.TLS ? 1 : 0);
            }
        };
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        NetTls tls = new NetTls(file("rsa.pem"), file("rsa.key"), file("ca.pem"));
        NetConfig config = new NetConfig(List.of(new NetConfig.Listen(address, false, true)), TestService.router(),
                request -> HttpResponse.text(200, ""), NetLimits.defaults(), counting, null, tls, 1);
        try (NetServer server = NetServer.start(config)) {
            assertThat(knownAs(server, "expired")).isEqualTo("refused");
            for (int i = 0; i < 100 && refusals.get() == 0; i++) {
                Thread.sleep(20);
            }
            assertThat(refusals).hasValue(1);
        }
    }

    /** As etcd: who may dial a member must be right in whom the member dials. */
    @Test
    void onlyServersWithOneOfTheNamesAreDialled() throws Exception {
        try (NetServer server = start(NetTls.Clients.ANYBODY, TlsProtocols.DEFAULT)) {
            assertThat(ask(server, named(List.of("rsa"), List.of())).end()).isNotInstanceOf(DialEnd.Failed.class);
            assertThat(ask(server, named(List.of(), List.of("localhost"))).end())
                    .isNotInstanceOf(DialEnd.Failed.class);
            assertThat(ask(server, named(List.of("alice"), List.of())).end()).isInstanceOf(DialEnd.Failed.class);
            assertThat(ask(server, named(List.of(), List.of("elsewhere"))).end()).isInstanceOf(DialEnd.Failed.class);
        }
    }

    private static DialTls named(List<String> commonNames, List<String> hostNames) throws Exception {
        return new DialTls(file("ca.pem"), null, null, null, false, commonNames, hostNames, TlsProtocols.DEFAULT);
    }

    @Test
    void nobodyOfAnotherAuthority() throws Exception {
        Path other = Path.of(java.util.Objects.requireNonNull(getClass().getResource("/tls/ca.pem")).toURI());
        try (NetServer server = start(NetTls.Clients.signedBy(other), TlsProtocols.DEFAULT)) {
            assertThat(knownAs(server, "alice")).isEqualTo("refused");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"carol.crl", "carol.der"})
    void nobodyWhoWasRevoked(String list) throws Exception {
        try (NetServer server = start(asking(file(list), List.of(), List.of(), false), TlsProtocols.DEFAULT)) {
            assertThat(knownAs(server, "alice")).isEqualTo("alice");
            assertThat(knownAs(server, "carol")).isEqualTo("refused");
        }
    }

    @Test
    void aRevocationHoldsFromTheNextConnectionOn(@TempDir Path directory) throws Exception {
        Path list = directory.resolve("list.crl");
        Files.copy(file("none.crl"), list);
        try (NetServer server = start(asking(list, List.of(), List.of(), false), TlsProtocols.DEFAULT)) {
            assertThat(knownAs(server, "carol")).isEqualTo("carol");
            Files.copy(file("carol.crl"), list, StandardCopyOption.REPLACE_EXISTING);
            assertThat(server.refreshTls()).isTrue();
            assertThat(knownAs(server, "carol")).isEqualTo("refused");
        }
    }

    @Test
    void onlyWithOneOfTheCommonNames() throws Exception {
        try (NetServer server = start(asking(null, List.of("carol", "alice"), List.of(), false),
                TlsProtocols.DEFAULT)) {
            assertThat(knownAs(server, "alice")).isEqualTo("alice");
            assertThat(knownAs(server, "bob")).isEqualTo("refused");
        }
    }

    @ParameterizedTest
    @CsvSource({"alice.example, true", "ALICE.example., true", "a.wild.example, true", "b.a.wild.example, false",
        "wild.example, false", "alice, false", "127.0.0.1, true", "[127.0.0.1], true", "127.0.0.2, false"})
    void onlyWithOneOfTheNames(String name, boolean isLetIn) throws Exception {
        try (NetServer server = start(asking(null, List.of(), List.of("no.such.name", name), false),
                TlsProtocols.DEFAULT)) {
            assertThat(knownAs(server, "alice")).isEqualTo(isLetIn ? "alice" : "refused");
        }
    }

    @Test
    void onlyFromWhereTheCertificateIsFor() throws Exception {
        try (NetServer server = start(asking(null, List.of(), List.of(), true), TlsProtocols.DEFAULT)) {
            assertThat(knownAs(server, "alice")).isEqualTo("alice");
            assertThat(knownAs(server, "rsa")).isEqualTo("rsa");
            assertThat(knownAs(server, "bob")).isEqualTo("refused");
            assertThat(knownAs(server, "carol")).as("without any name").isEqualTo("carol");
        }
    }

    @Test
    void onlyInTheVersionsThatAreAllowed() throws Exception {
        TlsProtocols old = new TlsProtocols(List.of("TLSv1.2"), TlsProtocols.DEFAULT.suites());
        TlsProtocols recent = new TlsProtocols(List.of("TLSv1.3"), TlsProtocols.DEFAULT.suites());
        TlsProtocols oneSuite = old.withSuitesOf12(List.of("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"));
        TlsProtocols other = old.withSuitesOf12(List.of("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
        assertThat(end(old, recent)).isInstanceOf(DialEnd.Failed.class);
        assertThat(end(recent, old)).isInstanceOf(DialEnd.Failed.class);
        assertThat(end(recent, TlsProtocols.DEFAULT)).isNotInstanceOf(DialEnd.Failed.class);
        assertThat(end(oneSuite, oneSuite)).isNotInstanceOf(DialEnd.Failed.class);
        assertThat(end(oneSuite, other)).isInstanceOf(DialEnd.Failed.class);
    }

    private static DialEnd end(TlsProtocols ofServer, TlsProtocols ofClient) throws Exception {
        try (NetServer server = start(NetTls.Clients.ANYBODY, ofServer)) {
            return ask(server, new DialTls(file("ca.pem"), null, null, null, false, List.of(), List.of(),
                    ofClient)).end();
        }
    }

    @ParameterizedTest
    @CsvSource({"rsa, rsa.key", "rsa, rsa-pkcs1.key", "ec, ec-sec1.key", "ed, ed.key"})
    void keysOfAllForms(String name, String key) throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        NetTls tls = new NetTls(file(name + ".pem"), file(key), null);
        HttpHandler http = request -> HttpResponse.text(200, "served");
        try (NetServer server = NetServer.start(NetConfig.plain(address, TestService.router(), http).withTls(tls,
                List.of(new NetConfig.Listen(address, false, true))))) {
            assertThat(ask(server, new DialTls(file("ca.pem"), null, null, null)).text()).isEqualTo("served");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            rsa.pem     | alice.key   | not one for the certificate
            alice.pem   | bob.key     | does not match the certificate
            rsa.pem     | locked.key  | has a password
            rsa.pem     | locked-1421.key | has a password
            rsa.pem     | ca.pem      | no PEM private key
            rsa.key     | rsa.key     | no PEM certificate
            none.crl    | rsa.key     | no PEM certificate
            """)
    void filesThatCannotBeUsedAreNamed(String certificate, String key, String why) {
        assertThatThrownBy(() -> {
            InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            NetServer.start(NetConfig.plain(address, TestService.router(), request -> HttpResponse.text(200, ""))
                    .withTls(new NetTls(file(certificate), file(key), null),
                            List.of(new NetConfig.Listen(address, false, true))))
                    .close();
        }).isInstanceOf(IOException.class).hasMessageContaining(why);
        assertThatThrownBy(() -> Pem.certificates(Path.of("absent.pem"))).isInstanceOf(IOException.class)
                .hasMessage("open absent.pem: no such file or directory");
    }
}
