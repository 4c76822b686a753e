package dev.quoin.net;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Which name a certificate has: where it counts as a user's it must be the one that etcd finds. */
class CommonNameTest {
    @Test
    void ofSeveralTheLastInTheCertificateCounts() {
        assertThat(TlsContext.commonName("CN=alice,O=here")).isEqualTo("alice");
        assertThat(TlsContext.commonName("O=here,CN=alice")).isEqualTo("alice");
        // In text the last part of the certificate comes first (RFC 2253).
        assertThat(TlsContext.commonName("CN=last,O=here,CN=first")).isEqualTo("last");
        assertThat(TlsContext.commonName("CN=a\\, b,O=here")).isEqualTo("a, b");
        assertThat(TlsContext.commonName("O=here")).isNull();
        assertThat(TlsContext.commonName("=")).isNull();
    }
}
