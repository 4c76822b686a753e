package dev.quoin.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a server told Prometheus at some moment.
 *
 * @param types of the names that had a line
 * @param samples by name and labels, as they were written
 */
record MetricsPage(Map<String, String> types, Map<String, Double> samples) {
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10)).build();

    static HttpResponse<String> get(InetSocketAddress server, String path, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest
                .newBuilder(URI.create("http://127.0.0.1:" + server.getPort() + path)).timeout(Duration.ofSeconds(20));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    static MetricsPage of(InetSocketAddress server) throws IOException, InterruptedException {
        return read(get(server, "/metrics").body());
    }

    static MetricsPage read(String page) {
        Map<String, String> types = new TreeMap<>();
        Map<String, Double> samples = new LinkedHashMap<>();
        for (String line : page.lines().toList()) {
            if (line.startsWith("# TYPE ")) {
                String[] words = line.split(" ", -1);
                types.put(words[2], words[3]);
            } else if (!line.startsWith("#")) {
                int blank = line.lastIndexOf(' ');
                samples.put(line.substring(0, blank), number(line.substring(blank + 1)));
            }
        }
        return new MetricsPage(types, samples);
    }

    private static double number(String text) {
        return switch (text) {
            case "+Inf" -> Double.POSITIVE_INFINITY;
            case "-Inf" -> Double.NEGATIVE_INFINITY;
            default -> Double.parseDouble(text);
        };
    }

    /** The sum of all series that begin so; 0 if there is none. */
    double sum(String series) {
        return samples.entrySet().stream().filter(sample -> sample.getKey().startsWith(series))
                .mapToDouble(Map.Entry::getValue).sum();
    }

    boolean has(String series) {
        return samples.keySet().stream().anyMatch(name -> name.startsWith(series));
    }

    /** The names of the labels that samples of a name have. */
    Set<String> labels(String name) {
        Set<String> labels = new TreeSet<>();
        for (String sample : samples.keySet()) {
            int brace = sample.indexOf('{');
            if (brace >= 0 && baseName(sample.substring(0, brace)).equals(name)) {
                for (String pair : sample.substring(brace + 1, sample.length() - 1).split("\",", -1)) {
                    labels.add(pair.substring(0, pair.indexOf('=')));
                }
            }
        }
        labels.remove("le");
        return labels;
    }

    private String baseName(String name) {
        String shorter = name.replaceFirst("_(bucket|sum|count)$", "");
        return types.containsKey(name) ? name : shorter;
    }
}
