package dev.quoin.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.google.gson.JsonParser;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

import dev.quoin.disk.RealDisk;
import dev.quoin.net.DialTls;
import dev.quoin.net.Dialler;
import dev.quoin.net.NetLimits;
import dev.quoin.server.config.Flags;
import dev.quoin.server.dial.PeerHttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * What was found wrong with etcd, tried on a running server: each test bears the number of its advisory. Those that are tried
 * closer to what guards against them, and what each test says when the guard is taken out, are in docs/evidence/0008.
 */
class AdvisoriesTest {
    private static final String ROOTS = "what only root knows 5f3a";
    private static final String ALICES = "what only alice knows 77c1";
    private static final String NEW = "what alice is told next 90be";
    private static final String NOBODY = "";
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path home;

    /** Every line, at every level, as text with all its fields. */
    private static final class Lines extends AppenderBase<ILoggingEvent> {
        private final List<String> told = new CopyOnWriteArrayList<>();

        @Override
        protected void append(ILoggingEvent event) {
            told.add(event.getFormattedMessage() + " " + event.getKeyValuePairs());
        }
    }

    private static final Logger ROOT_LOGGER = (Logger) LoggerFactory.getLogger("dev.quoin");
    private static final Lines LINES = new Lines();
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private static @Nullable Server server;
    private static String rootsToken = NOBODY;
    private static String alicesToken = NOBODY;

    private static Path data() {
        return home.resolve("data");
    }

    /**
     * Access is controlled: alice may read {@code k}, and write {@code w}. Attached to lease 7 are {@code w} and {@code secret}. The
     * directory was there before, and open to all.
     */
    @BeforeAll
    static void start() throws Exception {
        ROOT_LOGGER.setLevel(Level.DEBUG);
        LINES.start();
        ROOT_LOGGER.addAppender(LINES);
        Files.createDirectory(data(),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        server = started("--data-dir=" + data(), "--listen-client-urls=http://127.0.0.1:0",
                "--advertise-client-urls=http://127.0.0.1:0", "--bcrypt-cost=4");
        for (String[] step : new String[][]{{"auth/user/add", "{'name':'root','password':'" + ROOTS + "'}"},
            {"auth/user/grant", "{'user':'root','role':'root'}"},
            {"auth/user/add", "{'name':'alice','password':'" + ALICES + "'}"}, {"auth/role/add", "{'name':'app'}"},
            {"auth/role/grant", "{'name':'app','perm':{'permType':'READ','key':'" + b64("k") + "'}}"},
            {"auth/role/grant", "{'name':'app','perm':{'permType':'WRITE','key':'" + b64("w") + "'}}"},
            {"auth/user/grant", "{'user':'alice','role':'app'}"}, {"lease/grant", "{'ID':7,'TTL':3600}"},
            {"kv/put", "{'key':'" + b64("w") + "','lease':7}"},
            {"kv/put", "{'key':'" + b64("secret") + "','lease':7}"}, {"kv/put", "{'key':'" + b64("k") + "'}"},
            {"auth/enable", "{}"}}) {
            assertThat(ask(step[0], step[1], NOBODY)).as(step[0]).doesNotContain("\"code\"");
        }
        rootsToken = login("root", ROOTS);
        alicesToken = login("alice", ALICES);
    }

    @AfterAll
    static void stop() throws Exception {
        ROOT_LOGGER.detachAppender(LINES);
        ROOT_LOGGER.setLevel(null);
        if (server != null) {
            server.stop();
        }
    }

    private static Server started(String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--name=m", "--initial-cluster=m=http://127.0.0.1:0",
                "--listen-peer-urls=http://127.0.0.1:0", "--initial-advertise-peer-urls=http://127.0.0.1:0"));
        arguments.addAll(List.of(more));
        if (!(Flags.read(arguments.toArray(String[]::new), Map.of()) instanceof Flags.Wish.Start(Flags flags))) {
            throw new AssertionError("it is not asked to start");
        }
        return Server.start(ServerConfig.of(flags), new RealDisk(), new RealClock(), (where, why) -> {
            throw new AssertionError(where, why);
        }, () -> {});
    }

    // ---- asking

    private static String b64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The answer, or the first line of one that goes on. */
    private static String ask(String path, String body, String token) throws IOException, InterruptedException {
        int port = ((InetSocketAddress) Objects.requireNonNull(server).clientAddresses().getFirst()).getPort();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v3/" + path))
                .timeout(PATIENCE).POST(HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')));
        if (!token.isEmpty()) {
            request.header("authorization", token);
        }
        HttpResponse<java.io.InputStream> answer = HTTP.send(request.build(),
                HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
            return String.valueOf(lines.readLine());
        }
    }

    private static String login(String name, String password) throws Exception {
        String answer = ask("auth/authenticate", "{'name':'" + name + "','password':'" + password + "'}", NOBODY);
        return JsonParser.parseString(answer).getAsJsonObject().get("token").getAsString();
    }

    // ---- what is left behind

    @Test
    void cve202015113WhoElseMayReadTheDataIsTold() {
        assertThat(LINES.told).anySatisfy(line -> assertThat(line).contains("check file permission",
                "directory \"" + data() + "\" exist, but the permission is \"drwxr-xr-x\""));
        assertThat(LINES.told).noneMatch(line -> line.contains("/member\" exist"));
    }

    @Test
    void cve202128235NoPasswordIsLeftBehind() throws Exception {
        assertThat(ask("auth/authenticate", "{'name':'alice','password':'" + ALICES + "x'}", NOBODY))
                .contains("authentication failed");
        assertThat(ask("auth/user/add", "{'name':'bob','password':'" + NEW + "'}", rootsToken)).contains("header");
        assertThat(ask("auth/user/changepw", "{'name':'bob','password':'" + ALICES + "y'}", rootsToken))
                .contains("header");
        // Whoever may have no password is sent one all the same.
        assertThat(ask("auth/user/add", "{'name':'carol','password':'" + NEW + "','options':{'no_password':true}}",
                rootsToken)).contains("header");
        for (String secret : List.of(ROOTS, ALICES, NEW)) {
            assertThat(LINES.told).as("the log").noneMatch(line -> line.contains(secret));
            try (Stream<Path> files = Files.walk(data())) {
                assertThat(files.filter(Files::isRegularFile).filter(file -> contains(file, secret)))
                        .as("files that hold it").isEmpty();
            }
        }
    }

    private static boolean contains(Path file, String text) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(text);
        } catch (IOException unreadable) {
            throw new AssertionError(unreadable);
        }
    }

    @Test
    void issue20941NoTokenIsTold() throws Exception {
        String token = login("alice", ALICES);
        assertThat(ask("kv/range", "{'key':'" + b64("k") + "'}", token)).contains("\"count\":\"1\"");
        assertThat(ask("kv/range", "{'key':'" + b64("k") + "'}", token + "1")).contains("invalid auth token");
        assertThat(ask("kv/range", "{'key':'" + b64("secret") + "'}", token)).contains("permission denied");
        assertThat(LINES.told).isNotEmpty().noneMatch(line -> line.contains(token.substring(0, 12)));
    }

    // ---- who may what

    /** All RPCs that the gateway has, with what is asked of each: without a token none but two goes further than to its gate. */
    private static Map<String, String> everything() {
        Map<String, String> bodies = new TreeMap<>();
        String key = "{'key':'" + b64("k") + "'}";
        String leader = "{'leader':{'name':'" + b64("k") + "','key':'" + b64("k/7") + "','rev':1,'lease':7}}";
        for (String path : List.of("kv/range", "kv/put", "kv/deleterange", "lock/unlock")) {
            bodies.put(path, key);
        }
        bodies.put("kv/txn", "{'success':[{'request_put':" + key + "}]}");
        bodies.put("kv/compaction", "{'revision':1}");
        bodies.put("watch", "{'create_request':" + key + "}");
        bodies.put("lease/grant", "{'TTL':60}");
        for (String path : List.of("lease/revoke", "lease/keepalive", "lease/timetolive")) {
            bodies.put(path, "{'ID':7}");
        }
        bodies.put("lease/leases", "{}");
        bodies.put("cluster/member/add", "{'peerURLs':['http://127.0.0.1:1']}");
        bodies.put("cluster/member/update", "{'ID':1,'peerURLs':['http://127.0.0.1:1']}");
        for (String path : List.of("remove", "promote", "list")) {
            bodies.put("cluster/member/" + path, "{'ID':1}");
        }
        for (String path : List.of("alarm", "status", "defragment", "hash", "hashkv", "snapshot",
                "transfer-leadership", "downgrade")) {
            bodies.put("maintenance/" + path, "{}");
        }
        for (String path : List.of("enable", "disable", "user/add", "user/get", "user/list", "user/delete",
                "user/changepw", "user/grant", "user/revoke", "role/add", "role/get", "role/list", "role/delete",
                "role/grant", "role/revoke")) {
            bodies.put("auth/" + path, "{'name':'alice','role':'app','user':'alice'}");
        }
        bodies.put("lock/lock", "{'name':'" + b64("k") + "','lease':7}");
        bodies.put("election/campaign", "{'name':'" + b64("k") + "','lease':7}");
        bodies.put("election/leader", "{'name':'" + b64("k") + "'}");
        bodies.put("election/observe", "{'name':'" + b64("k") + "'}");
        bodies.put("election/proclaim", leader);
        bodies.put("election/resign", leader);
        return bodies;
    }

    @Test
    void cve202633413NothingIsOpenUnlessItIsSaidToBe() throws Exception {
        Map<String, String> all = everything();
        // Without RangeStream, which the gateway has not, Authenticate and AuthStatus; the table has the three of Health, too.
        assertThat(all).hasSize(AccessTable.all().size() - 3 - 3);
        for (Map.Entry<String, String> one : all.entrySet()) {
            assertThat(ask(one.getKey(), one.getValue(), NOBODY)).as(one.getKey())
                    .contains("etcdserver: user name is empty");
            assertThat(ask(one.getKey(), one.getValue(), "nonsense")).as(one.getKey())
                    .contains("etcdserver: invalid auth token");
        }
    }

    @Test
    void cve202332082WhoMayNotReadAKeyIsNotToldOfItByItsLease() throws Exception {
        assertThat(ask("lease/timetolive", "{'ID':7,'keys':true}", alicesToken))
                .contains("etcdserver: permission denied");
        assertThat(ask("lease/leases", "{}", alicesToken)).contains("etcdserver: permission denied");
        assertThat(ask("lease/timetolive", "{'ID':7}", alicesToken)).contains("\"grantedTTL\":\"3600\"")
                .doesNotContain("keys");
        assertThat(ask("lease/timetolive", "{'ID':7,'keys':true}", rootsToken)).contains(b64("secret"));
    }

    @Test
    void ghsaXg4h6gfcH4m8WhoMayReadAKeyMayNotWatchFromItOn() throws Exception {
        String key = "{'create_request':{'key':'" + b64("k") + "'";
        assertThat(ask("watch", key + "}}", alicesToken)).contains("\"created\":true").doesNotContain("canceled");
        assertThat(ask("watch", key + ",'range_end':'" + b64("\0") + "'}}", alicesToken))
                .contains("\"canceled\":true", "permission denied");
        assertThat(ask("kv/range", "{'key':'" + b64("k") + "','range_end':'" + b64("\0") + "'}", alicesToken))
                .contains("etcdserver: permission denied");
    }

    // ---- who is let in

    private static Path certificate(String name) {
        return Path.of("..", "net", "src", "test", "resources", "tls", "clients", name);
    }

    private static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> held = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            held.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        }
        List<Integer> ports = held.stream().map(ServerSocket::getLocalPort).toList();
        for (ServerSocket one : held) {
            one.close();
        }
        return ports;
    }

    private static int ask(int port, String who) throws IOException, InterruptedException {
        DialTls shown = new DialTls(certificate("ca.pem"), certificate(who + ".pem"), certificate(who + ".key"), null);
        try (Dialler dialler = new Dialler(NetLimits.defaults(), shown)) {
            return new PeerHttp(dialler).get("https://127.0.0.1:" + port + "/version", PATIENCE).status();
        }
    }

    /** gRPC alone, HTTP for clients, and HTTP for those who watch: each has a listener of its own. */
    @Test
    void ghsa3wh4J44wPg92ARevocationHoldsOnEveryListener() throws Exception {
        List<Integer> ports = freePorts(3);
        List<String> urls = ports.stream().map(port -> "https://127.0.0.1:" + port).toList();
        Server encrypted = started("--data-dir=" + home.resolve("encrypted"), "--listen-client-urls=" + urls.get(0),
                "--advertise-client-urls=" + urls.get(0), "--listen-client-http-urls=" + urls.get(1),
                "--listen-metrics-urls=" + urls.get(2), "--cert-file=" + certificate("rsa.pem"),
                "--key-file=" + certificate("rsa.key"), "--trusted-ca-file=" + certificate("ca.pem"),
                "--client-cert-auth", "--client-crl-file=" + certificate("carol.crl"));
        try {
            for (int port : ports) {
                assertThat(ask(port, "alice")).as("at %s", urls).isIn(200, 404);
                assertThatThrownBy(() -> ask(port, "carol")).as("at %s", urls).isInstanceOf(IOException.class);
            }
        } finally {
            encrypted.stop();
        }
    }
}
