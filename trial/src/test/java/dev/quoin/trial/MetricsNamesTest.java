package dev.quoin.trial;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Real etcd and Quoin are asked the same by etcdctl, and both tell Prometheus: every name that etcd has, Quoin has too, with
 * the same type, text, labels and buckets.
 */
@Tag("interop")
class MetricsNamesTest {
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static final Pattern SAMPLE = Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{.*\\})? \\S+");
    private static final Pattern LABEL = Pattern.compile("([a-zA-Z_]+)=\"((?:[^\"\\\\]|\\\\.)*)\"");
    /** Of Go itself, of etcd's proxy, and of the store of etcd 2, which still counts in etcd 3.7. */
    private static final Pattern NOT_OURS = Pattern
            .compile("go_.*|etcd_grpc_proxy_.*|etcd_debugging_store_(reads|writes)(_failed)?_total");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    /** What is said of one name. */
    private record Family(String type, String help, Set<String> labels, Set<String> bounds) {}

    @Test
    void whatEtcdTellsPrometheusQuoinTells() throws Exception {
        Path directory = home.resolve("etcd");
        Map<String, Family> etcd = told(Tools.built("etcd"), directory);
        Map<String, Family> quoin = told(ServerProcess.image(), home.resolve("quoin"));
        etcd.keySet().removeIf(name -> NOT_OURS.matcher(name).matches());
        assertThat(etcd).hasSizeGreaterThan(90);
        assertThat(quoin.keySet()).containsAll(etcd.keySet());
        etcd.forEach((name, family) -> assertThat(quoin.get(name)).as(name).isEqualTo(family));
    }

    private static Map<String, Family> told(Path executable, Path home) throws Exception {
        assertThat(home.toFile().mkdirs()).isTrue();
        List<Integer> ports = ServerProcess.freePorts(2);
        try (ServerProcess server = ServerProcess.of(executable, home, ports.get(0), ports.get(1))) {
            server.with("--metrics=extensive").start();
            Program etcdctl = Program.of(Tools.built("etcdctl"), "--endpoints=" + server.clientUrl());
            run(etcdctl, "put", "k", "v");
            run(etcdctl, "get", "k");
            run(etcdctl, "get", "missing", "--rev=1000000");
            run(etcdctl, "lease", "grant", "100");
            run(etcdctl, "compaction", "2");
            run(etcdctl, "alarm", "list");
            run(etcdctl, "endpoint", "health");
            get(server.clientUrl() + "/health");
            return families(get(server.clientUrl() + "/metrics"));
        }
    }

    private static void run(Program etcdctl, String... arguments) throws Exception {
        assertThat(etcdctl.run(arguments).exitCode()).isBetween(0, 4);
    }

    private static String get(String url) throws Exception {
        HttpResponse<String> answer = HTTP.send(HttpRequest.newBuilder(URI.create(url)).build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        return answer.body();
    }

    private static Map<String, Family> families(String page) {
        Map<String, String> help = new TreeMap<>();
        Map<String, String> types = new TreeMap<>();
        Map<String, Set<String>> labels = new TreeMap<>();
        Map<String, Set<String>> bounds = new TreeMap<>();
        for (String line : page.lines().toList()) {
            String[] words = line.split(" ", 4);
            if (line.startsWith("# HELP ")) {
                help.put(words[2], words[3]);
            } else if (line.startsWith("# TYPE ")) {
                types.put(words[2], words[3]);
            } else {
                sample(line, types, labels, bounds);
            }
        }
        Map<String, Family> families = new TreeMap<>();
        types.forEach((name, type) -> families.put(name, new Family(type, help.getOrDefault(name, ""),
                labels.getOrDefault(name, Set.of()), bounds.getOrDefault(name, Set.of()))));
        return families;
    }

    private static void sample(String line, Map<String, String> types, Map<String, Set<String>> labels,
            Map<String, Set<String>> bounds) {
        Matcher sample = SAMPLE.matcher(line);
        assertThat(sample.matches()).as(line).isTrue();
        String written = sample.group(1);
        String name = types.containsKey(written) ? written : written.replaceFirst("_(bucket|sum|count)$", "");
        Matcher label = LABEL.matcher(sample.group(2) == null ? "" : sample.group(2));
        while (label.find()) {
            if (label.group(1).equals("le")) {
                bounds.computeIfAbsent(name, first -> new TreeSet<>()).add(label.group(2));
            } else {
                labels.computeIfAbsent(name, first -> new TreeSet<>()).add(label.group(1));
            }
        }
    }
}
