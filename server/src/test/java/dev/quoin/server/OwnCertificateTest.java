package dev.quoin.server;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.server.config.Refused;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** What a member makes for itself is made once, where etcd looks for it. */
class OwnCertificateTest {
    private static final Instant NOW = Instant.parse("2026-08-17T12:00:00Z");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path home;

    private OwnCertificate own(long years) {
        return OwnCertificate.of("peer", home.resolve("data"), List.of("127.0.0.1"), years);
    }

    @Test
    void itIsMadeOnceAndTakenForGoodAfterwards() throws Exception {
        own(1).makeUnlessThere(NOW);
        Path directory = home.resolve("data/fixtures/peer");
        assertThat(directory).isDirectoryContaining("glob:**/cert.pem").isDirectoryContaining("glob:**/key.pem");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("data"))))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("key.pem"))))
                .isEqualTo("rw-------");
        String made = Files.readString(directory.resolve("cert.pem"));

        own(1).makeUnlessThere(NOW.plusSeconds(1_000_000_000));
        assertThat(directory.resolve("cert.pem")).hasContent(made);

        Files.delete(directory.resolve("key.pem"));
        own(1).makeUnlessThere(NOW);
        assertThat(Files.readString(directory.resolve("cert.pem"))).as("half of a pair is none").isNotEqualTo(made);
    }

    @Test
    void whereItCannotBeMadeTheProcessDoesNotStart() throws Exception {
        Refused never = catchThrowableOfType(Refused.class, () -> own(0).makeUnlessThere(NOW));
        assertThat(never.form()).isEqualTo(Refused.Form.FATAL);
        assertThat(never).hasMessage("failed to get peer self-signed certs");
        assertThat(never.fields()).containsEntry("error",
                "selfSignedCertValidity is invalid,it should be greater than 0");
        Files.writeString(home.resolve("data"), "a file");
        Refused nowhere = catchThrowableOfType(Refused.class, () -> own(1).makeUnlessThere(NOW));
        assertThat(nowhere.fields().get("error")).startsWith("cannot write to " + home.resolve("data/fixtures/peer"));
    }
}
