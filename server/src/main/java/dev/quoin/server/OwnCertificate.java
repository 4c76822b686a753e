package dev.quoin.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.cert.SelfSigned;
import dev.quoin.server.config.Refused;

/**
 * The certificate that a member makes for itself where none is given: {@code --auto-tls} and {@code --peer-auto-tls}, with etcd's
 * files and log lines (client/pkg/transport/listener.go, SelfCert). It is made at the first start and stays, even when its time
 * is over: whoever deletes it gets another at the next start.
 *
 * @param name      for whom it is, client or peer: in the log, and of its directory
 * @param directory absolute
 * @param hosts     what this member listens on
 * @param years     how long one that is made is valid
 */
record OwnCertificate(String name, Path directory, List<String> hosts, long years) {
    private static final Logger LOG = LoggerFactory.getLogger(OwnCertificate.class);

    OwnCertificate {
        hosts = List.copyOf(hosts);
    }

    static OwnCertificate of(String name, Path dataDirectory, List<String> hosts, long years) {
        return new OwnCertificate(name,
                dataDirectory.resolve("fixtures").resolve(name).toAbsolutePath().normalize(), hosts, years);
    }

    Path certificate() {
        return directory.resolve("cert.pem");
    }

    Path key() {
        return directory.resolve("key.pem");
    }

    /** @throws Refused the process cannot start */
    void makeUnlessThere(Instant now) throws Refused {
        if (years == 0) {
            throw refused("selfSignedCertValidity is invalid,it should be greater than 0");
        }
        try {
            Files.createDirectories(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            if (!Files.exists(certificate()) || !Files.exists(key())) {
                make(now);
            }
        } catch (IOException e) {
            throw refused("cannot write to " + directory + ": " + e);
        }
    }

    private void make(Instant now) throws IOException {
        Instant end = SelfSigned.end(now, years);
        LOG.atWarn().addKeyValue("certificate-validity-bound-not-after", ZapEncoder.text(end))
                .log("automatically generate certificates");
        SelfSigned.make(hosts, now, end).write(certificate(), key());
        LOG.atInfo().addKeyValue("path", certificate()).log("created cert file");
        LOG.atInfo().addKeyValue("path", key()).log("created key file");
    }

    private Refused refused(String why) {
        return Refused.fatal("failed to get " + name + " self-signed certs", "error", why);
    }
}
