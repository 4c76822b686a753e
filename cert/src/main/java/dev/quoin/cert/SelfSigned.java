package dev.quoin.cert;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;

/**
 * The certificate that a member makes for itself: it encrypts, and proves nothing, unless whoever trusts it was given it by
 * hand. What it says is what etcd's says (client/pkg/transport/listener.go, SelfCert).
 */
public final class SelfSigned {
    /** Such is the year that a certificate can name (RFC 5280 §4.1.2.5). */
    private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");
    /** etcd's, who knows no leap years. */
    private static final Duration YEAR = Duration.ofDays(365);

    private SelfSigned() {}

    /** The end of so many years from now, or of all that a certificate can say. */
    public static Instant end(Instant now, long years) {
        long most = Duration.between(now, LAST).dividedBy(YEAR);
        return years > most ? LAST : now.plus(YEAR.multipliedBy(years));
    }

    /**
     * A new key, and a certificate for it.
     *
     * @param hosts names and addresses; what is neither is left out, for nobody can ask for it
     */
    public static Credential make(List<String> hosts, Instant now, Instant end) {
        return new Draft(new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.O, "etcd").build(),
                new Lifetime(now, end), true, KeyUsage.keyEncipherment | KeyUsage.digitalSignature | KeyUsage.cRLSign,
                List.of(KeyPurposeId.id_kp_serverAuth),
                hosts.stream().map(Host::parse).flatMap(Optional::stream).toList())
                .signedByItself(KeyKind.P521.generate());
    }
}
