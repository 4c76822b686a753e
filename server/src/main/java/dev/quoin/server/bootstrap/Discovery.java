package dev.quoin.server.bootstrap;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.member.founding.InitialCluster;
import dev.quoin.member.founding.PeerUrls;
import dev.quoin.net.DialRequest;
import dev.quoin.net.HttpFields;
import dev.quoin.server.dial.Exchange;
import dev.quoin.server.dial.PeerHttp;

/**
 * The members of a cluster that begins, found at another etcd cluster (etcdserver/api/v3discovery): each writes itself
 * under a token, and waits until as many are there as the token's size key says. The first to have written are the members.
 *
 * <p>The other cluster is asked through its JSON gateway, over HTTP/1.1 without TLS, where etcd asks by gRPC; and it is
 * asked again and again, where etcd watches.
 */
final class Discovery {
    private static final Logger LOG = LoggerFactory.getLogger(Discovery.class);
    private static final int DOUBLINGS_MAX = 8;

    private final PeerHttp http;
    private final ClusterFlags.Source.Discovery source;
    private final Pace pace;
    private final String prefix;

    /**
     * How patient one is.
     *
     * @param polling between two looks at who is there
     * @param retrying the first wait after a failure, doubled each time
     */
    record Pace(Duration polling, Duration retrying) {
        static final Pace ETCD = new Pace(Duration.ofMillis(500), Duration.ofSeconds(2));
    }

    private record Pair(String key, String value, long createRevision) {}

    private record Look(List<Pair> members, int size) {}

    /** An attempt to ask. */
    private interface Attempt<T> {
        T make() throws IOException, BootstrapRefused, InterruptedException;
    }

    Discovery(PeerHttp http, ClusterFlags.Source.Discovery source, Pace pace) {
        this.http = http;
        this.source = source;
        this.pace = pace;
        prefix = "/_etcd/registry/" + source.token();
    }

    /**
     * Writes a member down and waits for the others, for as long as it takes.
     *
     * @param self as {@code --initial-cluster} would have it
     * @return all members in the same form
     */
    String join(long memberId, String self) throws BootstrapRefused, InterruptedException {
        String own = prefix + "/members/" + Long.toHexString(memberId);
        look(own);
        patiently("register member itself", () -> {
            put(own, self);
            return true;
        });
        LOG.atInfo().addKeyValue("memberKey", own).addKeyValue("memberInfo", self)
                .log("register member itself successfully");
        Look look = look(own);
        while (look.members().size() < look.size()) {
            LOG.atInfo().addKeyValue("clusterSize", look.size()).addKeyValue("found-peers", look.members().size())
                    .log("waiting for peers from discovery service");
            Thread.sleep(pace.polling());
            look = look(own);
        }
        String cluster = String.join(",",
                look.members().stream().limit(look.size()).map(Pair::value).toList());
        try {
            InitialCluster.parse(cluster);
        } catch (PeerUrls.Bad bad) {
            throw refused("discovery: invalid peer URL");
        }
        return cluster;
    }

    private static BootstrapRefused refused(String why) {
        return new BootstrapRefused("failed to join discovery cluster (" + why + ")");
    }

    /** Who is there; refused if that is enough without this member. */
    private Look look(String own) throws BootstrapRefused, InterruptedException {
        Look look = patiently("cluster status check", () -> new Look(members(), size()));
        int before = 0;
        for (Pair member : look.members()) {
            if (member.key().equals(own)) {
                break;
            }
            before++;
            if (before >= look.size()) {
                throw refused("discovery: cluster is full");
            }
        }
        return look;
    }

    private int size() throws IOException, BootstrapRefused, InterruptedException {
        List<Pair> found = range(prefix + "/_config/size", false);
        if (found.isEmpty()) {
            throw refused("discovery: size key not found");
        }
        String text = found.getFirst().value();
        int size = text.matches("\\+?[0-9]{1,9}") ? Integer.parseInt(text) : 0;
        if (size <= 0) {
            throw refused("discovery: size key is bad");
        }
        return size;
    }

    /** In the order in which they came. */
    private List<Pair> members() throws IOException, InterruptedException {
        return range(prefix + "/members", true).stream().filter(member -> member.value().indexOf('=') >= 0)
                .sorted(Comparator.comparingLong(Pair::createRevision)).toList();
    }

    private <T> T patiently(String step, Attempt<T> attempt) throws BootstrapRefused, InterruptedException {
        for (int failures = 0;; failures++) {
            try {
                return attempt.make();
            } catch (IOException failed) {
                Duration backoff = pace.retrying().multipliedBy(1L << Math.min(failures, DOUBLINGS_MAX - 1));
                LOG.atWarn().addKeyValue("reason", step).addKeyValue("error", failed.getMessage())
                        .addKeyValue("backoff", backoff.toMillis() + "ms")
                        .log("retry connecting to discovery service");
                Thread.sleep(backoff);
            }
        }
    }

    // ---- the gateway

    private List<Pair> range(String key, boolean isPrefix) throws IOException, InterruptedException {
        byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
        byte[] end = bytes.clone();
        end[end.length - 1]++;
        return pairs(post("/v3/kv/range", body("key", bytes, isPrefix ? "range_end" : null, end)));
    }

    private void put(String key, String value) throws IOException, InterruptedException {
        post("/v3/kv/put", body("key", key.getBytes(StandardCharsets.UTF_8), "value",
                value.getBytes(StandardCharsets.UTF_8)));
    }

    private static String body(String name, byte[] value, @Nullable String secondName, byte[] secondValue)
            throws IOException {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject().name(name).value(Base64.getEncoder().encodeToString(value));
            if (secondName != null) {
                json.name(secondName).value(Base64.getEncoder().encodeToString(secondValue));
            }
            json.endObject();
        }
        return text.toString();
    }

    /** Each endpoint in turn, until one answers. */
    private String post(String path, String body) throws IOException, InterruptedException {
        IOException last = new IOException("no endpoints");
        for (String endpoint : source.endpoints()) {
            try {
                Exchange.Reply answer = http.post(endpoint + path,
                        HttpFields.of("content-type", "application/json"),
                        new DialRequest.Body.Whole(Bytes.utf8(body)), source.requestTimeout());
                if (answer.status() == 200) {
                    return answer.text();
                }
                last = new IOException(endpoint + path + ": " + answer.status() + " " + answer.text().strip());
            } catch (IOException failed) {
                last = failed;
            }
        }
        throw last;
    }

    private static List<Pair> pairs(String text) throws IOException {
        List<Pair> pairs = new ArrayList<>();
        try (JsonReader json = new JsonReader(new StringReader(text))) {
            json.beginObject();
            while (json.hasNext()) {
                if (json.nextName().equals("kvs")) {
                    json.beginArray();
                    while (json.hasNext()) {
                        pairs.add(pair(json));
                    }
                    json.endArray();
                } else {
                    json.skipValue();
                }
            }
            json.endObject();
        } catch (IllegalStateException | IllegalArgumentException e) {
            throw new IOException("not an answer of a discovery service: " + e.getMessage(), e);
        }
        return pairs;
    }

    private static Pair pair(JsonReader json) throws IOException {
        String key = "";
        String value = "";
        long createRevision = 0;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "key" -> key = decode(json.nextString());
                case "value" -> value = decode(json.nextString());
                case "create_revision" -> createRevision = Long.parseLong(json.nextString());
                default -> json.skipValue();
            }
        }
        json.endObject();
        return new Pair(key, value, createRevision);
    }

    private static String decode(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8).strip();
    }
}
