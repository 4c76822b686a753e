package dev.quoin.server.health;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import com.google.gson.JsonPrimitive;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.net.HttpHandler;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.server.health.CheckList.Check;

/**
 * Answers {@code /health}, {@code /livez} and {@code /readyz} with the bytes, codes and log lines of etcd 3.7.1
 * (server/etcdserver/api/etcdhttp/health.go). On virtual threads; a check may wait as long as its {@link HealthHost} does.
 */
public final class HealthFront implements HttpHandler {
    private static final Logger LOG = LoggerFactory.getLogger(HealthFront.class);
    private static final String HEALTH = "/health";
    private static final String CORRUPT = "CORRUPT";
    /** Alarms that have a name of their own in the reason. */
    private static final Set<String> NAMED = Set.of("NOSPACE", CORRUPT);

    private final HealthHost host;
    private final HealthMetrics metrics;
    private final List<CheckList> lists;

    public HealthFront(HealthHost host, HealthMetrics metrics) {
        this.host = host;
        this.metrics = metrics;
        Check local = new Check("serializable_read", () -> host.readFailure(true));
        lists = List.of(new CheckList("livez", List.of(local), metrics),
                new CheckList("readyz", List.of(new Check("data_corruption", this::corruption), local,
                        new Check("linearizable_read", () -> host.readFailure(false)),
                        new Check("non_learner", this::learner)), metrics));
    }

    /** Whether a path is one of those that are answered here. */
    public boolean serves(String path) {
        return path.equals(HEALTH) || lists.stream().anyMatch(list -> list.serves(path));
    }

    @Override
    public HttpResponse handle(HttpRequest request) throws InterruptedException {
        for (CheckList list : lists) {
            if (list.serves(request.path())) {
                return list.answer(request);
            }
        }
        return request.path().equals(HEALTH) ? health(request) : Plain.error(404, "404 page not found");
    }

    private @Nullable String corruption() {
        boolean isCorrupt = host.alarms().stream().anyMatch(alarm -> alarm.name().equals(CORRUPT));
        return isCorrupt ? "alarm activated: " + CORRUPT : null;
    }

    private @Nullable String learner() {
        return host.isLearner() ? "not supported for learner" : null;
    }

    private HttpResponse health(HttpRequest request) throws InterruptedException {
        if (!request.method().equals("GET")) {
            LOG.atWarn().addKeyValue("status-code", 405).log("/health error");
            return Plain.onlyGet();
        }
        Query query = Query.parse(request.query());
        String reason = reason(new TreeSet<>(query.all("exclude")), query.first("serializable").equals("true"));
        metrics.answered(reason == null);
        if (reason == null) {
            LOG.atDebug().addKeyValue("status-code", 200).log("/health OK");
            return Plain.written(200, json("true", ""));
        }
        String body = json("false", reason);
        LOG.atWarn().addKeyValue("output", body).addKeyValue("status-code", 503).log("/health error");
        return Plain.error(503, body);
    }

    /** Alarms first, then whether there is a leader, then a read; null if all is well. */
    private @Nullable String reason(Set<String> excluded, boolean serializable) throws InterruptedException {
        String alarm = alarm(excluded);
        if (alarm != null) {
            return alarm;
        }
        if (!serializable && !host.hasLeader()) {
            LOG.warn("serving /health false; no leader");
            return "RAFT NO LEADER";
        }
        String failure = host.readFailure(serializable);
        if (failure != null) {
            LOG.atWarn().addKeyValue("error", failure).log("serving /health false; Range fails");
            return "RANGE ERROR:" + failure;
        }
        LOG.debug("serving /health true");
        return null;
    }

    private @Nullable String alarm(Set<String> excluded) {
        for (HealthHost.Alarm alarm : host.alarms()) {
            if (excluded.contains(alarm.name())) {
                LOG.atDebug().addKeyValue("alarm", alarm.text()).log("/health excluded alarm");
                continue;
            }
            LOG.atWarn().addKeyValue("alarm", alarm.text()).log("serving /health false due to an alarm");
            return "ALARM " + (NAMED.contains(alarm.name()) ? alarm.name() : "UNKNOWN");
        }
        return null;
    }

    private static String json(String health, String reason) {
        return "{\"health\":\"" + health + "\",\"reason\":" + new JsonPrimitive(reason) + "}";
    }
}
