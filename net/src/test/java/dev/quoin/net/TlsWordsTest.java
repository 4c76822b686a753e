package dev.quoin.net;

import javax.net.ssl.SSLHandshakeException;

import io.netty.handler.codec.DecoderException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Why a handshake failed, as etcd's log says it, whoever's engine found out. */
class TlsWordsTest {
    private static Throwable cause(String text) {
        return new DecoderException(new SSLHandshakeException(text));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            error:10000412:SSL routines:OPENSSL_internal:SSLV3_ALERT_BAD_CERTIFICATE | remote error: tls: bad certificate
            (bad_certificate) Received fatal alert: bad_certificate | remote error: tls: bad certificate
            error:10000418:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA | remote error: tls: unknown certificate authority
            Received fatal alert: unknown_ca | remote error: tls: unknown certificate authority
            error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION | remote error: tls: protocol version not supported
            error:100000c0:SSL routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE | tls: client didn't provide a certificate
            Empty client certificate chain | tls: client didn't provide a certificate
            error:100000b8:SSL routines:OPENSSL_internal:NO_SHARED_CIPHER | tls: no cipher suite supported by both client and server
            error:10000123:SSL routines:OPENSSL_internal:BAD_ECPOINT | tls: bad ecpoint
            certificate serial 7 revoked | certificate serial 7 revoked
            """)
    void reasons(String text, String words) {
        assertThat(TlsWords.reason(cause(text))).isEqualTo(words);
    }

    @Test
    void whatMayBeForTheAlgorithms() {
        assertThat(TlsWords.mayBeForAlgorithms(cause("Empty client certificate chain"))).isTrue();
        assertThat(TlsWords.mayBeForAlgorithms(
                cause("error:10000410:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE"))).isTrue();
        assertThat(TlsWords.mayBeForAlgorithms(cause("certificate serial 7 revoked"))).isFalse();
    }
}
