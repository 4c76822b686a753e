package dev.quoin.cert;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.util.Date;
import java.util.List;

import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/**
 * A certificate that is still to be signed: what it will say (RFC 5280 §4.1.2 and §4.2.1).
 *
 * @param subject     whose it is
 * @param isAuthority whether its holder may sign others
 * @param usage       bits of {@link KeyUsage}
 * @param purposes    what else it may be used for; none: anything
 * @param hosts       where its holder is found; none: anywhere
 */
record Draft(X500Name subject, Lifetime lifetime, boolean isAuthority, int usage, List<KeyPurposeId> purposes,
        List<Host> hosts) {
    private static final SecureRandom RANDOM = new SecureRandom();
    /** So that nobody can foretell it, and it is positive and as long as may be in 16 bytes. */
    private static final int SERIAL_BITS = 127;

    Draft {
        purposes = List.copyOf(purposes);
        hosts = List.copyOf(hosts);
    }

    /** Signed with its own key. */
    Credential signedByItself(KeyPair keys) {
        return sign(subject, null, keys.getPrivate(), Credential.signature(keys.getPublic()), keys);
    }

    /** Signed with an authority's. */
    Credential signedBy(Credential authority, KeyPair keys) {
        try {
            X509CertificateHolder issuer = new JcaX509CertificateHolder(authority.certificate());
            Extension id = issuer.getExtension(Extension.subjectKeyIdentifier);
            SubjectKeyIdentifier key = id == null ? null : SubjectKeyIdentifier.getInstance(id.getParsedValue());
            return sign(issuer.getSubject(), key, authority.key(),
                    Credential.signature(authority.certificate().getPublicKey()), keys);
        } catch (GeneralSecurityException e) {
            throw unmade(e);
        }
    }

    private Credential sign(X500Name issuer, @Nullable SubjectKeyIdentifier issuerKey, PrivateKey signsWith,
            String signature, KeyPair keys) {
        try {
            X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(issuer, serialNumber(),
                    Date.from(lifetime.from()), Date.from(lifetime.until()), subject, keys.getPublic());
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(isAuthority));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
            builder.addExtension(Extension.subjectKeyIdentifier, false,
                    new JcaX509ExtensionUtils().createSubjectKeyIdentifier(keys.getPublic()));
            if (issuerKey != null) {
                builder.addExtension(Extension.authorityKeyIdentifier, false,
                        new AuthorityKeyIdentifier(issuerKey.getKeyIdentifier()));
            }
            if (!purposes.isEmpty()) {
                builder.addExtension(Extension.extendedKeyUsage, false,
                        new ExtendedKeyUsage(purposes.toArray(KeyPurposeId[]::new)));
            }
            if (!hosts.isEmpty()) {
                builder.addExtension(Extension.subjectAlternativeName, false,
                        new GeneralNames(hosts.stream().map(Host::inCertificate).toArray(GeneralName[]::new)));
            }
            X509CertificateHolder made = builder.build(new JcaContentSignerBuilder(signature).build(signsWith));
            return new Credential(new JcaX509CertificateConverter().getCertificate(made), keys.getPrivate());
        } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
            throw unmade(e);
        }
    }

    private static BigInteger serialNumber() {
        return new BigInteger(SERIAL_BITS, RANDOM).setBit(SERIAL_BITS - 1);
    }

    /** All that goes in was made or checked here. */
    private static Invariant.Violation unmade(Exception why) {
        return Invariant.violation("a certificate could not be made: %s", why.getMessage());
    }
}
