package dev.quoin.server.peer;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;

import org.jspecify.annotations.Nullable;

import dev.quoin.net.HttpBody;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpHandler;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.net.NetLimits;

/**
 * What the peer port answers (etcdhttp/peer.go). The port is taken before the member is started, so that a port that
 * cannot be had is found out first; who asks before {@link #serve} is asked to come back.
 */
public final class PeerFront implements HttpHandler {
    /** Any question; one to the lessor has less, and what is posted to {@code /raft} has bounds of its own. */
    private static final int BODY_BYTES_MAX = 1 << 20;

    private final RaftFront raft;
    private final ClusterFront cluster = new ClusterFront();
    private volatile @Nullable PeerHost host;

    public PeerFront(PeerNetwork network) {
        raft = new RaftFront(network);
    }

    /** The bounds of its listener. */
    public static NetLimits netLimits(PeerLimits limits) {
        return NetLimits.defaults().change().httpBodyBytesMax(BODY_BYTES_MAX)
                .writeStallMillisMax(limits.silenceMillisMax()).bodySilenceMillisMax(limits.silenceMillisMax()).build();
    }

    /** Answers from now on; the network is open. */
    public void serve(PeerHost member) {
        host = member;
    }

    @Override
    public boolean streams(String method, String path) {
        return path.equals("/raft") || path.equals("/raft/snapshot");
    }

    @Override
    public HttpResponse handleStreamed(HttpRequest head, HttpBody body) throws InterruptedException {
        PeerHost member = host;
        if (member == null) {
            return notYet();
        }
        return head.path().equals("/raft") ? raft.message(member, head, body) : raft.snapshot(member, head, body);
    }

    @Override
    public HttpResponse handle(HttpRequest request) throws InterruptedException {
        PeerHost member = host;
        if (member == null) {
            return notYet();
        }
        String path = request.path();
        if (path.startsWith(StreamKind.PREFIX)) {
            return raft.stream(member, request);
        }
        if (path.startsWith(ClusterFront.PROMOTE)) {
            return cluster.promote(member, request);
        }
        return switch (path) {
            case "/raft/probing" -> probing();
            case "/members" -> cluster.members(member, request);
            case "/members/hashkv" -> cluster.hashKv(member, request);
            case "/version" -> cluster.version(member, request);
            case "/downgrade/enabled" -> cluster.downgradeEnabled(member, request);
            case "/leases", "/leases/internal" -> cluster.leases(member, request);
            default -> PeerAnswers.notFound();
        };
    }

    private static HttpResponse notYet() {
        return PeerAnswers.error(503, "the member is starting");
    }

    /** As Go writes a time into JSON: with nanoseconds, and an offset. */
    private static HttpResponse probing() {
        String now = DateTimeFormatter.ISO_OFFSET_DATE_TIME
                .format(ZonedDateTime.ofInstant(Instant.now(), ZoneId.systemDefault()));
        return new HttpResponse(200, HttpFields.of("content-type", "text/plain; charset=utf-8"),
                new HttpResponse.Body.Whole(dev.quoin.base.Bytes.utf8("{\"OK\":true,\"Now\":\"" + now + "\"}\n")));
    }
}
