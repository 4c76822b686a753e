package dev.quoin.server.health;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.net.Peer;

import static org.assertj.core.api.Assertions.assertThat;

/** Bodies and codes as etcdhttp/health.go words them; HealthStatesTest in trial asks etcd itself. */
class HealthFrontTest {
    private static final HealthHost.Alarm NO_SPACE = new HealthHost.Alarm("NOSPACE", "memberID:7 alarm:NOSPACE");
    private static final HealthHost.Alarm CORRUPT = new HealthHost.Alarm("CORRUPT", "memberID:7 alarm:CORRUPT");

    private static final class Host implements HealthHost {
        private List<Alarm> alarms = List.of();
        private boolean hasLeader = true;
        private boolean isLearner;
        private @Nullable String failure;

        @Override
        public List<Alarm> alarms() {
            return alarms;
        }

        @Override
        public boolean hasLeader() {
            return hasLeader;
        }

        @Override
        public boolean isLearner() {
            return isLearner;
        }

        @Override
        public @Nullable String readFailure(boolean serializable) {
            return serializable ? null : failure;
        }
    }

    private final Host host = new Host();
    private final List<String> counted = new ArrayList<>();
    private final HealthFront front = new HealthFront(host, new HealthMetrics() {
        @Override
        public void answered(boolean isHealthy) {
            counted.add("health " + isHealthy);
        }

        @Override
        public void checked(String type, String name, boolean isPassed) {
            counted.add(type + " " + name + " " + isPassed);
        }
    });

    private HttpResponse ask(String method, String url) throws InterruptedException {
        int question = url.indexOf('?');
        String path = question < 0 ? url : url.substring(0, question);
        assertThat(front.serves(path)).as(path).isTrue();
        return front.handle(new HttpRequest(method, path, question < 0 ? null : url.substring(question + 1),
                HttpFields.EMPTY, Bytes.EMPTY, new Peer(new InetSocketAddress(0), false, null)));
    }

    private String get(String url) throws InterruptedException {
        HttpResponse answer = ask("GET", url);
        assertThat(answer.headers().first("content-type")).isEqualTo("text/plain; charset=utf-8");
        return answer.status() + " " + ((HttpResponse.Body.Whole) answer.body()).bytes().toUtf8();
    }

    @Test
    void aMemberThatIsWell() throws InterruptedException {
        assertThat(get("/health")).isEqualTo("200 {\"health\":\"true\",\"reason\":\"\"}");
        assertThat(get("/livez")).isEqualTo("200 ok\n");
        assertThat(get("/readyz")).isEqualTo("200 ok\n");
        assertThat(get("/livez?verbose")).isEqualTo("200 [+]serializable_read ok\nok\n");
        assertThat(get("/readyz?verbose=false")).isEqualTo("""
                200 [+]data_corruption ok
                [+]serializable_read ok
                [+]linearizable_read ok
                [+]non_learner ok
                ok
                """);
        assertThat(get("/readyz/non_learner?verbose")).isEqualTo("200 [+]non_learner ok\nok\n");
        assertThat(ask("GET", "/health").headers().first("x-content-type-options")).isNull();
        assertThat(ask("GET", "/livez").headers().first("x-content-type-options")).isEqualTo("nosniff");
    }

    @Test
    void withoutALeaderAndWithoutAQuorum() throws InterruptedException {
        host.failure = "etcdserver: request timed out";
        assertThat(get("/health"))
                .isEqualTo("503 {\"health\":\"false\",\"reason\":\"RANGE ERROR:etcdserver: request timed out\"}\n");
        host.hasLeader = false;
        assertThat(get("/health")).isEqualTo("503 {\"health\":\"false\",\"reason\":\"RAFT NO LEADER\"}\n");
        assertThat(get("/health?serializable=true")).isEqualTo("200 {\"health\":\"true\",\"reason\":\"\"}");
        assertThat(get("/health?serializable=TRUE")).startsWith("503");
        assertThat(get("/livez")).isEqualTo("200 ok\n");
        assertThat(get("/readyz")).isEqualTo("""
                503 [+]data_corruption ok
                [+]serializable_read ok
                [-]linearizable_read failed: etcdserver: request timed out
                [+]non_learner ok

                """);
        assertThat(get("/readyz?exclude=linearizable_read&exclude=nonsense")).isEqualTo("200 ok\n");
        assertThat(get("/readyz/linearizable_read?exclude=linearizable_read")).startsWith("503");
    }

    @Test
    void alarmsComeFirstAndCanBeExcluded() throws InterruptedException {
        host.hasLeader = false;
        host.alarms = List.of(NO_SPACE, CORRUPT);
        assertThat(get("/health")).isEqualTo("503 {\"health\":\"false\",\"reason\":\"ALARM NOSPACE\"}\n");
        assertThat(get("/health?exclude=NOSPACE"))
                .isEqualTo("503 {\"health\":\"false\",\"reason\":\"ALARM CORRUPT\"}\n");
        assertThat(get("/health?exclude=NOSPACE&exclude=CORRUPT"))
                .isEqualTo("503 {\"health\":\"false\",\"reason\":\"RAFT NO LEADER\"}\n");
        assertThat(get("/health?exclude=NO%53PACE;x&exclude=%zz")).as("what does not decode is passed over")
                .contains("ALARM NOSPACE");
        assertThat(get("/health?exclude=NO%53PACE&e+x=1")).contains("ALARM CORRUPT");
        assertThat(get("/readyz/data_corruption"))
                .isEqualTo("503 [-]data_corruption failed: alarm activated: CORRUPT\n\n");
        host.alarms = List.of(new HealthHost.Alarm("9", "alarm:9"));
        assertThat(get("/health")).contains("ALARM UNKNOWN");
    }

    @Test
    void aLearnerIsNotReady() throws InterruptedException {
        host.isLearner = true;
        assertThat(get("/readyz/non_learner"))
                .isEqualTo("503 [-]non_learner failed: not supported for learner\n\n");
        assertThat(get("/health")).startsWith("200");
    }

    @Test
    void onlyGet() throws InterruptedException {
        for (String path : List.of("/health", "/livez", "/readyz/non_learner")) {
            HttpResponse refused = ask("POST", path);
            assertThat(refused.status()).isEqualTo(405);
            assertThat(refused.headers().first("allow")).isEqualTo("GET");
            assertThat(((HttpResponse.Body.Whole) refused.body()).bytes().toUtf8()).isEqualTo("Method Not Allowed\n");
        }
        assertThat(counted).isEmpty();
    }

    @Test
    void noOtherPathIsServed() {
        for (String path : List.of("/", "/health/", "/livez/", "/livez/linearizable_read", "/readyz/x", "/healthz")) {
            assertThat(front.serves(path)).as(path).isFalse();
        }
    }

    @Test
    void whatIsSaidIsCounted() throws InterruptedException {
        ask("GET", "/health");
        host.failure = "x";
        ask("GET", "/health");
        ask("GET", "/readyz?exclude=data_corruption&exclude=serializable_read");
        assertThat(counted).containsExactly("health true", "health false", "readyz linearizable_read false",
                "readyz non_learner true");
    }
}
