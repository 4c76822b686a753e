package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Users who prove by a certificate who they are are told by Quoin what they are told by etcd: the same script is run against
 * both, and what is printed is compared; by etcdctl, and by the JSON gateway, where such a name does not count.
 */
@Tag("interop")
class AuthCertificateTest {
    private static final String LOCAL = "DNS:localhost,IP:127.0.0.1";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @SuppressWarnings("NullAway.Init")
    private Authority authority;
    private final List<Integer> ports = ServerProcess.freePorts(2);

    @BeforeEach
    void certificates() throws Exception {
        authority = Authority.in(home.resolve("certificates"));
        for (String name : List.of("server", "root", "alice", "stranger")) {
            authority.sign(name, name, LOCAL);
        }
    }

    @Test
    void theNameInACertificateIsTheUsers() throws Exception {
        List<String> etcd = answers(Tools.built("etcd"), "etcd");
        assertThat(etcd.getLast()).as("etcd itself").startsWith("/v3/kv/range as alice").contains("CommonName");
        assertThat(String.join("\n", answers(ServerProcess.image(), "quoin"))).isEqualTo(String.join("\n", etcd));
    }

    private List<String> answers(Path server, String kind) throws Exception {
        try (ServerProcess process = ServerProcess.of(server, Files.createDirectories(home.resolve(kind)), ports.get(0),
                ports.get(1))) {
            process.with("--listen-client-urls", url(), "--advertise-client-urls", url(), "--cert-file",
                    authority.file("server.pem"), "--key-file", authority.file("server.key"), "--trusted-ca-file",
                    authority.file("ca.pem"), "--client-cert-auth", "--bcrypt-cost", "4");
            process.start();
            return new Script().run();
        }
    }

    private String url() {
        return "https://127.0.0.1:" + ports.getFirst();
    }

    private final class Script {
        private final List<String> transcript = new ArrayList<>();

        List<String> run() throws Exception {
            beforehand();
            for (String name : List.of("alice", "root", "stranger")) {
                tells(name, "put", "app/x", "1");
                tells(name, "put", "app/x", "2", "--prev-kv");
                tells(name, "put", "other", "1");
                tells(name, "get", "app/", "--prefix");
                tells(name, "get", "other");
                tells(name, "get", "other", "--consistency=s");
                tells(name, "user", "list");
                tells(name, "user", "get", name);
                tells(name, "role", "get", "app");
                tells(name, "auth", "status");
                tells(name, "member", "list");
                tells(name, "alarm", "list");
                tells(name, "lease", "list");
                tells(name, "compaction", "2");
                tells(name, "defrag");
            }
            // A token counts more than a certificate, and one that is none is not made good by it.
            tells("root", "put", "other", "2", "--user=bob:bobpw");
            tells("alice", "get", "other", "--user=bob:wrong");
            tells("alice", "user", "list", "--user=alice:any");
            gateway("alice", "/health");
            gateway("alice", "/version");
            gateway("alice", "/v3/kv/range");
            return transcript;
        }

        private void beforehand() throws Exception {
            for (String user : List.of("root", "alice")) {
                tells("stranger", "user", "add", user, "--no-password");
            }
            tells("stranger", "user", "add", "bob:bobpw");
            tells("stranger", "user", "grant-role", "root", "root");
            tells("stranger", "role", "add", "app");
            tells("stranger", "role", "grant-permission", "app", "readwrite", "app/", "app0");
            tells("stranger", "user", "grant-role", "alice", "app");
            gateway("alice", "/v3/auth/status");
            tells("stranger", "auth", "enable");
        }

        private void tells(String certificate, String... arguments) throws Exception {
            String[] all = Stream.concat(Stream.of("--endpoints=" + url(), "--cacert=" + authority.file("ca.pem"),
                    "--cert=" + authority.file(certificate + ".pem"), "--key=" + authority.file(certificate + ".key")),
                    Stream.of(arguments)).toArray(String[]::new);
            Program.Result result = Program.of(Tools.built("etcdctl")).run(all);
            transcript.add(String.join(" ", arguments) + " as " + certificate + ": " + result.exitCode() + "\n"
                    + normal(result.stdout()) + normal(withoutLog(result.stderr())));
        }

        private void gateway(String certificate, String path) throws Exception {
            Program.Result result = Program.of(Tools.system("curl", "curl"), "-s", "--max-time", "5", "--cacert",
                    authority.file("ca.pem"), "--cert", authority.file(certificate + ".pem"), "--key",
                    authority.file(certificate + ".key"), "-w", "\n%{http_code} %{content_type}\n")
                    .run(path.startsWith("/v3/") ? "-d{\"key\":\"YQ==\"}" : "-G", url() + path);
            transcript.add(path + " as " + certificate + ": " + normal(result.stdout()));
        }

        private static String withoutLog(String stderr) {
            return String.join("\n", stderr.lines().filter(line -> !line.startsWith("{")).toList());
        }

        /** Ids are made from the time, terms of elections; and Go puts a space into JSON or not, by chance. */
        private static String normal(String text) {
            return text.lines().map(line -> line.replaceAll("[0-9a-f]{15,16}", "ID").replaceAll("[0-9]{17,20}", "ID")
                    .replaceAll("\"raft_term\": ?\"[0-9]+\"", "TERM").replaceAll("([,:]) ", "$1")
                    .replaceAll("took.*", "took T"))
                    .reduce("", (one, other) -> one + other + "\n");
        }
    }
}
