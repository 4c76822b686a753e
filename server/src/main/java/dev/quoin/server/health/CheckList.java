package dev.quoin.server.health;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;

/**
 * A list of checks behind a path: the path makes all of them but those that are excluded, the path with a check's name
 * makes that one (etcdhttp/health.go CheckRegistry). etcd makes them in an order left to chance; here it is the list's.
 */
final class CheckList {
    private static final Logger LOG = LoggerFactory.getLogger(CheckList.class);

    /** Says why something is not as it should be, or null. May wait. */
    @FunctionalInterface
    interface Probe {
        @Nullable
        String failure() throws InterruptedException;
    }

    record Check(String name, Probe probe) {}

    /** What came of some checks, a line for each. */
    private record Result(String lines, boolean isGood) {}

    private final String type;
    private final List<Check> checks;
    private final HealthMetrics metrics;

    /** @param type its path, without the slash */
    CheckList(String type, List<Check> checks, HealthMetrics metrics) {
        this.type = type;
        this.checks = checks;
        this.metrics = metrics;
    }

    boolean serves(String path) {
        return path.equals("/" + type) || checks.stream().anyMatch(check -> path.equals(pathOf(check)));
    }

    private String pathOf(Check check) {
        return "/" + type + "/" + check.name;
    }

    /** Answers a path that it serves. */
    HttpResponse answer(HttpRequest request) throws InterruptedException {
        String path = request.path();
        if (!request.method().equals("GET")) {
            LOG.atWarn().addKeyValue("path", path).addKeyValue("status-code", 405).log("Health request error");
            return Plain.onlyGet();
        }
        Query query = Query.parse(request.query());
        Result result = run(chosen(path, query));
        if (!result.isGood) {
            LOG.atError().addKeyValue("path", path).addKeyValue("reason", result.lines).addKeyValue("status-code", 503)
                    .log("Health check error");
            return Plain.error(503, result.lines);
        }
        LOG.atDebug().addKeyValue("path", path).addKeyValue("reason", result.lines).addKeyValue("status-code", 200)
                .log("Health check OK");
        return Plain.unsniffed(200, (query.has("verbose") ? result.lines : "") + "ok\n");
    }

    private List<Check> chosen(String path, Query query) {
        if (!path.equals("/" + type)) {
            return checks.stream().filter(check -> path.equals(pathOf(check))).toList();
        }
        Set<String> excluded = new LinkedHashSet<>(query.all("exclude"));
        excluded.remove("");
        List<Check> chosen = new ArrayList<>();
        for (Check check : checks) {
            if (!excluded.remove(check.name)) {
                chosen.add(check);
            }
        }
        if (!excluded.isEmpty()) {
            LOG.atWarn()
                    .addKeyValue("missing-health-checks",
                            excluded.stream().map(name -> "\"" + name + "\"").collect(Collectors.joining(",")))
                    .log("some health checks cannot be excluded");
        }
        return chosen;
    }

    private Result run(List<Check> chosen) throws InterruptedException {
        StringBuilder lines = new StringBuilder();
        boolean isGood = true;
        for (Check check : chosen) {
            String failure = check.probe.failure();
            metrics.checked(type, check.name, failure == null);
            isGood &= failure == null;
            lines.append(failure == null ? "[+]" : "[-]").append(check.name)
                    .append(failure == null ? " ok" : " failed: " + failure).append('\n');
        }
        return new Result(lines.toString(), isGood);
    }
}
