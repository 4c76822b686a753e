package dev.quoin.cert;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.PrivateKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** {@code quoin cert}, as it is called: what it writes, what it prints, and what it leaves alone. */
class CertCommandTest {
    private static final Instant NOW = Instant.parse("2026-08-17T12:00:00Z");
    private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path home;

    private record Run(int exitCode, String out, String err) {}

    private Path directory() {
        return home.resolve("certs");
    }

    private Run run(String... words) {
        return runAt(NOW, words);
    }

    private Run runAt(Instant now, String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        List<String> all = Stream.concat(Stream.of("--dir", directory().toString()), Arrays.stream(words)).toList();
        int code = new CertCommand(InstantSource.fixed(now), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8)).run(all);
        return new Run(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private void made(String... words) {
        Run run = run(words);
        assertThat(run.exitCode).as(run.err).isZero();
        assertThat(run.err).isEmpty();
    }

    private void refused(int exitCode, String message, String... words) throws IOException {
        Map<String, String> before = contents();
        Run run = run(words);
        assertThat(run.err.lines().findFirst()).contains("quoin cert: " + message);
        assertThat(run.exitCode).isEqualTo(exitCode);
        assertThat(run.out).isEmpty();
        assertThat(contents()).as("nothing was touched").isEqualTo(before);
    }

    /** All files and what is in them. */
    private Map<String, String> contents() throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(home)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(home.relativize(file).toString(), Files.readString(file));
            }
        }
        return contents;
    }

    private X509Certificate certificate(String name) throws IOException {
        return PemFiles.readCertificate(directory().resolve(name));
    }

    /** The JDK's own opinion. */
    private void assertSigned(String name, String authority) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        PKIXParameters trust = new PKIXParameters(Set.of(new TrustAnchor(certificate(authority), null)));
        trust.setRevocationEnabled(false);
        trust.setDate(Date.from(NOW));
        CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(List.of(certificate(name))), trust);
        Credential.read(directory().resolve(name), directory().resolve(name.replace(".pem", ".key")));
    }

    private static List<String> names(X509Certificate certificate) throws Exception {
        Collection<List<?>> names = certificate.getSubjectAlternativeNames();
        return names == null ? List.of() : names.stream().map(name -> String.valueOf(name.get(1))).toList();
    }

    @Test
    void aClusterInOneCommand() throws Exception {
        Run run = run("m1=10.0.0.1,m1.example.com", "m2=10.0.0.2", "m3=fd00::3");
        assertThat(run.exitCode).as(run.err).isZero();

        assertThat(contents().keySet()).containsExactlyInAnyOrder("certs/ca.pem", "certs/ca.key", "certs/peer-ca.pem",
                "certs/peer-ca.key", "certs/m1/ca.pem", "certs/m1/server.pem", "certs/m1/server.key",
                "certs/m1/peer-ca.pem", "certs/m1/peer.pem", "certs/m1/peer.key", "certs/m2/ca.pem",
                "certs/m2/server.pem", "certs/m2/server.key", "certs/m2/peer-ca.pem", "certs/m2/peer.pem",
                "certs/m2/peer.key", "certs/m3/ca.pem", "certs/m3/server.pem", "certs/m3/server.key",
                "certs/m3/peer-ca.pem", "certs/m3/peer.pem", "certs/m3/peer.key", "certs/root/ca.pem",
                "certs/root/client.pem", "certs/root/client.key");
        for (String file : contents().keySet()) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve(file)))).as(file)
                    .isEqualTo(file.endsWith(".key") ? "rw-------" : "rw-r--r--");
        }
        assertSigned("m1/server.pem", "ca.pem");
        assertSigned("m1/peer.pem", "peer-ca.pem");
        assertSigned("root/client.pem", "ca.pem");
        assertThat(contents().get("certs/m1/ca.pem")).isEqualTo(contents().get("certs/ca.pem"));

        X509Certificate server = certificate("m1/server.pem");
        assertThat(names(server)).containsExactly("10.0.0.1", "m1.example.com", "localhost", "127.0.0.1",
                "0:0:0:0:0:0:0:1");
        assertThat(server.getExtendedKeyUsage()).containsExactly(SERVER_AUTH, CLIENT_AUTH);
        assertThat(server.getBasicConstraints()).as("no authority").isNegative();
        assertThat(server.getPublicKey()).isInstanceOfSatisfying(ECPublicKey.class,
                key -> assertThat(key.getParams().getOrder().bitLength()).isEqualTo(256));
        assertThat(certificateEnd("m1/server.pem")).isEqualTo(Instant.parse("2027-08-17T12:00:00Z"));
        assertThat(names(certificate("m3/peer.pem"))).as("nobody else's host").containsExactly("fd00:0:0:0:0:0:0:3");
        X509Certificate client = certificate("root/client.pem");
        assertThat(client.getSubjectX500Principal().getName()).isEqualTo("CN=root");
        assertThat(client.getExtendedKeyUsage()).containsExactly(CLIENT_AUTH);
        assertThat(names(client)).isEmpty();
        assertThat(certificateEnd("ca.pem")).isEqualTo(Instant.parse("2036-08-14T12:00:00Z"));
    }

    @Test
    void whatItPrintsIsWhatComesNext() {
        Run run = run("m1=10.0.0.1,m1.example.com", "m2=m2.example.com");
        String certs = directory().toString();
        assertThat(run.out).isEqualTo("""
                CERTS/ca.pem, CERTS/ca.key: the authority for clients, until 2036-08-14
                CERTS/peer-ca.pem, CERTS/peer-ca.key: the authority for members among themselves, until 2036-08-14
                CERTS/m1: member m1, at 10.0.0.1, m1.example.com, until 2027-08-17
                CERTS/m2: member m2, at m2.example.com, until 2027-08-17
                CERTS/root: client root, until 2027-08-17

                Whoever has ca.key or peer-ca.key can make a member or a client: keep them off the members.
                A member needs its directory alone. To start the members, each where its directory is:

                quoin --name m1 --data-dir m1.etcd \\
                  --listen-client-urls https://10.0.0.1:2379 --advertise-client-urls https://10.0.0.1:2379 \\
                  --listen-peer-urls https://10.0.0.1:2380 --initial-advertise-peer-urls https://10.0.0.1:2380 \\
                  --initial-cluster m1=https://10.0.0.1:2380,m2=https://m2.example.com:2380 \\
                  --cert-file CERTS/m1/server.pem --key-file CERTS/m1/server.key \\
                  --trusted-ca-file CERTS/m1/ca.pem --client-cert-auth \\
                  --peer-cert-file CERTS/m1/peer.pem --peer-key-file CERTS/m1/peer.key \\
                  --peer-trusted-ca-file CERTS/m1/peer-ca.pem --peer-client-cert-auth

                quoin --name m2 --data-dir m2.etcd \\
                  --listen-client-urls https://0.0.0.0:2379 --advertise-client-urls https://m2.example.com:2379 \\
                  --listen-peer-urls https://0.0.0.0:2380 --initial-advertise-peer-urls https://m2.example.com:2380 \\
                  --initial-cluster m1=https://10.0.0.1:2380,m2=https://m2.example.com:2380 \\
                  --cert-file CERTS/m2/server.pem --key-file CERTS/m2/server.key \\
                  --trusted-ca-file CERTS/m2/ca.pem --client-cert-auth \\
                  --peer-cert-file CERTS/m2/peer.pem --peer-key-file CERTS/m2/peer.key \\
                  --peer-trusted-ca-file CERTS/m2/peer-ca.pem --peer-client-cert-auth

                To ask them, as root:

                etcdctl --endpoints https://10.0.0.1:2379,https://m2.example.com:2379 \\
                  --cacert CERTS/root/ca.pem --cert CERTS/root/client.pem --key CERTS/root/client.key endpoint health
                """.replace("CERTS", certs));
    }

    @Test
    void membersOnOneHostHavePortsOfTheirOwn() {
        assertThat(run("m1=127.0.0.1", "m2=127.0.0.1").out).contains(
                "--initial-cluster m1=https://127.0.0.1:12380,m2=https://127.0.0.1:22380",
                "--listen-client-urls https://127.0.0.1:22379",
                "--endpoints https://127.0.0.1:12379,https://127.0.0.1:22379");
    }

    @Test
    void othersComeLater() throws Exception {
        made("m1=10.0.0.1");
        Map<String, String> before = contents();

        Run run = run("m2=10.0.0.2", "--client", "alice");

        assertThat(run.exitCode).as(run.err).isZero();
        assertThat(run.out).contains("etcdctl member add m2 --peer-urls=https://10.0.0.2:2380", "To ask them, as alice")
                .doesNotContain("authority");
        assertThat(contents()).containsAllEntriesOf(before);
        assertThat(contents().keySet()).as("no client is made unasked")
                .filteredOn(file -> file.endsWith("client.pem"))
                .containsExactly("certs/alice/client.pem", "certs/root/client.pem");
        assertSigned("m2/peer.pem", "peer-ca.pem");
        assertSigned("alice/client.pem", "ca.pem");
    }

    @Test
    void nothingIsWrittenOver() throws IOException {
        made("m1=10.0.0.1");
        String m1 = directory().resolve("m1").toString();
        refused(1, m1 + " is there already: --renew makes new certificates in the place of those in it",
                "m2=10.0.0.2", "m1=10.0.0.1");
        refused(1, m1 + " is a member's: choose another name", "--renew", "--client=m1");
        refused(1, directory().resolve("root") + " is a client's: choose another name", "--renew", "root=10.0.0.1");
        refused(2, "nobody can be called ca.pem, which is a file of an authority", "ca.pem=10.0.0.1");
    }

    @Test
    void anAuthorityThatIsNotWholeIsNotMadeAnew() throws IOException {
        made("m1=10.0.0.1");
        Path key = directory().resolve("ca.key");
        Files.move(key, home.resolve("safe"));
        refused(1, key + " is missing, which belongs to " + directory().resolve("ca.pem")
                + ": bring it back, or name another --dir", "m2=10.0.0.2");
        Files.copy(directory().resolve("peer-ca.key"), key);
        refused(1, "the key in " + key + " is not that of " + directory().resolve("ca.pem"), "m2=10.0.0.2");
        Files.delete(key);
        Files.move(home.resolve("safe"), key);
        made("m2=10.0.0.2");
    }

    @Test
    void anAuthorityThatHasEndedSignsNothing() throws IOException {
        made("--ca-days=1", "m1=10.0.0.1");
        assertThat(certificateEnd("m1/server.pem")).as("no longer than who signed it")
                .isEqualTo(Instant.parse("2026-08-18T12:00:00Z"));
        Run late = runAt(Instant.parse("2026-08-19T12:00:00Z"), "m2=10.0.0.2");
        assertThat(late.exitCode).isEqualTo(1);
        assertThat(late.err).isEqualTo("quoin cert: the authority in " + directory().resolve("ca.pem")
                + " has ended on 2026-08-18T12:00:00Z\n");
    }

    private Instant certificateEnd(String name) throws IOException {
        return certificate(name).getNotAfter().toInstant();
    }

    @Test
    void whatIsRenewedIsNewAndTheAuthoritiesAreNot() throws Exception {
        made("m1=10.0.0.1");
        Map<String, String> before = contents();

        made("--renew", "--days", "7", "--client", "root", "m1=10.0.0.1");

        assertSigned("m1/server.pem", "ca.pem");
        assertSigned("m1/peer.pem", "peer-ca.pem");
        assertSigned("root/client.pem", "ca.pem");
        assertThat(certificateEnd("m1/server.pem")).isEqualTo(Instant.parse("2026-08-24T12:00:00Z"));
        Map<String, String> after = contents();
        assertThat(after.keySet()).isEqualTo(before.keySet());
        assertThat(after.keySet()).filteredOn(file -> after.getOrDefault(file, "").equals(before.get(file)))
                .as("what is as before").containsExactlyInAnyOrder("certs/ca.pem", "certs/ca.key", "certs/peer-ca.pem",
                        "certs/peer-ca.key", "certs/m1/ca.pem", "certs/m1/peer-ca.pem", "certs/root/ca.pem");
    }

    @Test
    void keysOfOtherKinds() throws Exception {
        made("--key=rsa3072", "m1=10.0.0.1");
        assertSigned("m1/server.pem", "ca.pem");
        assertThat(certificate("m1/server.pem").getPublicKey().getAlgorithm()).isEqualTo("RSA");
        assertThat(certificate("m1/server.pem").getKeyUsage()).startsWith(true, false, true);
        made("--key", "p384", "m2=10.0.0.2");
        assertSigned("m2/server.pem", "ca.pem");
    }

    /** Keys as openssl has written them over the years. */
    @Test
    void anAuthorityMayComeFromElsewhere() throws Exception {
        made("--key=rsa3072", "m1=10.0.0.1");
        rewrite("ca.key", "RSA PRIVATE KEY");
        made("--client", "alice");
        assertSigned("alice/client.pem", "ca.pem");
        Files.writeString(directory().resolve("ca.key"), "-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----\n");
        Run run = run("--client", "bob");
        assertThat(run.exitCode).isEqualTo(1);
        assertThat(run.err).startsWith("quoin cert: what is in " + directory().resolve("ca.key") + " cannot be read: ");
        Files.writeString(directory().resolve("ca.key"), "");
        refused(1, "there is no PEM private key in " + directory().resolve("ca.key"), "--client", "bob");
    }

    private void rewrite(String file, String label) throws IOException {
        PrivateKey key = PemFiles.readKey(directory().resolve(file));
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(key);
        }
        assertThat(text.toString()).startsWith("-----BEGIN " + label);
        Files.writeString(directory().resolve(file), text.toString());
    }

    @Test
    void whatIsNotUnderstood() throws IOException {
        refused(2, "unknown flag --bits", "--bits=1");
        refused(2, "--days needs a value", "--days");
        refused(2, "--days is a number of days, 1 to 99999, not \"0\"", "--days=0", "m1=10.0.0.1");
        refused(2, "--key is p256, p384, p521 or rsa3072, not \"dsa\"", "--key=dsa", "m1=10.0.0.1");
        refused(2, "--renew takes no value", "--renew=true");
        refused(2, "a member is NAME=HOST[,HOST...], not \"m1\"", "m1");
        refused(2, "a host is a name or an address, not \"10.0.1\": m1=10.0.1", "m1=10.0.1");
        refused(2, "a host is a name or an address, not \"\": m1=", "m1=");
        refused(2, "others are told the first host, which must be one: m1=*.example.com", "m1=*.example.com");
        refused(2, "a name has letters, digits and . _ @ -, 64 at most, and begins with one of the first two: not"
                + " \"../m1\"", "../m1=10.0.0.1");
        refused(2, "the name m1 comes twice", "m1=10.0.0.1", "--client=m1");
        made("m1=10.0.0.1,*.example.com");
        refused(2, "nobody is named who is to have a certificate", "--days=3");
    }

    @Test
    void whatCanBeSaid() {
        assertThat(run("--help").out).startsWith("Usage: quoin cert").contains("--renew");
    }
}
