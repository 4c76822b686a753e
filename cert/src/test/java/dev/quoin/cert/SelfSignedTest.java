package dev.quoin.cert;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Instant;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A certificate that a member makes for itself says what etcd's says. */
class SelfSignedTest {
    private static final Instant NOW = Instant.parse("2026-08-17T12:00:00Z");

    @Test
    void itSaysWhatEtcdsSays() throws Exception {
        X509Certificate made = SelfSigned.make(List.of("127.0.0.1", "localhost", "::1", "", "a b"), NOW,
                SelfSigned.end(NOW, 2)).certificate();

        assertThat(made.getSubjectX500Principal().getName()).isEqualTo("O=etcd");
        assertThat(made.getIssuerX500Principal()).isEqualTo(made.getSubjectX500Principal());
        assertThat(made.getNotBefore().toInstant()).isEqualTo(NOW);
        assertThat(made.getNotAfter().toInstant()).as("of 365 days each")
                .isEqualTo(Instant.parse("2028-08-16T12:00:00Z"));
        assertThat(made.getSubjectAlternativeNames().stream().map(name -> String.valueOf(name.get(1))).toList())
                .containsExactly("127.0.0.1", "localhost", "0:0:0:0:0:0:0:1");
        assertThat(made.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.1");
        assertThat(made.getKeyUsage()).containsExactly(true, false, true, false, false, false, true, false, false);
        assertThat(made.getBasicConstraints()).as("an authority").isNotNegative();
        assertThat(made.getSigAlgName()).isEqualTo("SHA512withECDSA");
        assertThat(made.getPublicKey()).isInstanceOfSatisfying(ECPublicKey.class,
                key -> assertThat(key.getParams().getOrder().bitLength()).isEqualTo(521));
        made.verify(made.getPublicKey());
    }

    @Test
    void moreYearsThanACertificateCanSayAreAllThatItCan() {
        Instant last = Instant.parse("9999-12-31T23:59:59Z");
        assertThat(SelfSigned.end(NOW, 8_000)).isEqualTo(last);
        assertThat(SelfSigned.end(NOW, Long.MAX_VALUE)).isEqualTo(last);
        assertThat(SelfSigned.make(List.of(), NOW, last).certificate().getNotAfter().toInstant())
                .isEqualTo(last);
    }

    @Test
    void itIsReadAsItWasWritten(@TempDir Path home) throws Exception {
        Credential made = SelfSigned.make(List.of("localhost"), NOW, SelfSigned.end(NOW, 1));
        Path certificate = home.resolve("cert.pem");
        Path key = home.resolve("key.pem");
        Files.writeString(key.resolveSibling("key.pem.new"), "what a crash has left");
        made.write(certificate, key);
        assertThat(Credential.read(certificate, key)).isEqualTo(made);
        assertThat(home).isDirectoryNotContaining("glob:**.new");
    }
}
