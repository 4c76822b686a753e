package dev.quoin.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

import static org.assertj.core.api.Assertions.assertThat;

/** An authority made with openssl, as many a guide does it, and the certificates that it signs. */
final class Authority {
    private final Path directory;
    private final Path openssl = Tools.system("openssl", "openssl");

    private Authority(Path directory) {
        this.directory = directory;
    }

    /** @param directory where its files are to be; it is made */
    static Authority in(Path directory) throws IOException, InterruptedException {
        Authority authority = new Authority(Files.createDirectories(directory));
        authority.openssl("genrsa", "-out", authority.file("ca.key"), "2048");
        authority.openssl("req", "-x509", "-new", "-key", authority.file("ca.key"), "-subj", "/CN=test authority",
                "-days", "2", "-out", authority.file("ca.pem"));
        return authority;
    }

    /** Signs {@code NAME.pem}, for {@code NAME.key}; both take the place of those before in one step each. */
    void sign(String name, String commonName, String alternativeNames) throws IOException, InterruptedException {
        openssl("genrsa", "-out", file("new.key"), "2048");
        openssl("req", "-new", "-key", file("new.key"), "-subj", "/CN=" + commonName, "-out", file("new.csr"));
        Path extensions = directory.resolve("new.ext");
        Files.writeString(extensions,
                "subjectAltName=" + alternativeNames + "\nextendedKeyUsage=serverAuth,clientAuth\n");
        openssl("x509", "-req", "-in", file("new.csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
                "-CAcreateserial", "-days", "2", "-extfile", extensions.toString(), "-out", file("new.pem"));
        Files.move(directory.resolve("new.key"), directory.resolve(name + ".key"), StandardCopyOption.REPLACE_EXISTING);
        Files.move(directory.resolve("new.pem"), directory.resolve(name + ".pem"), StandardCopyOption.REPLACE_EXISTING);
    }

    String file(String name) {
        return directory.resolve(name).toString();
    }

    private void openssl(String... arguments) throws IOException, InterruptedException {
        Program.Result result = Program.of(openssl).run(arguments);
        assertThat(result.exitCode()).as(result.stderr()).isZero();
    }

    /** The serial number of the certificate that a server shows now. */
    String serialAt(int port) throws IOException, InterruptedException {
        Program.Result shown = Program.of(openssl).run("s_client", "-connect", "127.0.0.1:" + port, "-cert",
                file("client.pem"), "-key", file("client.key"));
        Program.Result serial = Program.of(openssl).feed(shown.stdout(), "x509", "-noout", "-serial");
        assertThat(serial.exitCode()).as(shown.stdout() + shown.stderr()).isZero();
        return serial.stdout().strip();
    }
}
