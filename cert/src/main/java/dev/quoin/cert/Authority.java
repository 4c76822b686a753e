package dev.quoin.cert;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;

/** Who signs certificates that others trust. Immutable. */
final class Authority {
    /** What somebody whose certificate is signed is to others. */
    enum Role {
        /** Whom clients ask. etcd's gateway is a client of its own server, with this certificate. */
        SERVER,
        /** A member to other members: it dials, and is dialled. */
        PEER,
        /** Who asks. */
        CLIENT
    }

    private final Credential own;

    private Authority(Credential own) {
        this.own = own;
    }

    /** A new one. Its name says nothing but which it is, for whoever looks at its certificate. */
    static Authority make(String name, KeyKind kind, Lifetime lifetime) {
        return new Authority(new Draft(named(name), lifetime, true, KeyUsage.keyCertSign | KeyUsage.cRLSign, List.of(),
                List.of()).signedByItself(kind.generate()));
    }

    /** @throws IOException they cannot be used for signing; the text says why */
    static Authority read(Path certificateFile, Path keyFile, Instant now) throws IOException {
        Credential own = Credential.read(certificateFile, keyFile);
        if (own.certificate().getBasicConstraints() < 0) {
            throw new IOException(certificateFile + " is not the certificate of an authority");
        }
        if (own.lifetime().until().isBefore(now)) {
            throw new IOException("the authority in " + certificateFile + " has ended on " + own.lifetime().until());
        }
        return new Authority(own);
    }

    Credential own() {
        return own;
    }

    /** A certificate for a new key, no longer valid than the authority is. */
    Credential issue(Role role, String name, List<Host> hosts, KeyKind kind, Lifetime lifetime) {
        int usage = kind == KeyKind.RSA3072
                ? KeyUsage.digitalSignature | KeyUsage.keyEncipherment
                : KeyUsage.digitalSignature;
        List<KeyPurposeId> purposes = switch (role) {
            case SERVER, PEER -> List.of(KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth);
            case CLIENT -> List.of(KeyPurposeId.id_kp_clientAuth);
        };
        return new Draft(named(name), lifetime.within(own.lifetime()), false, usage, purposes, hosts).signedBy(own,
                kind.generate());
    }

    private static X500Name named(String commonName) {
        return new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, commonName).build();
    }
}
