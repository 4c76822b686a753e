package dev.quoin.server.peer;

import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.quoin.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveRequest;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.leasepb.LeaseInternalRequest;
import dev.quoin.api.leasepb.LeaseInternalResponse;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.member.ChangeAnswer;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.ClusterChange;
import dev.quoin.member.Failure;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.LeaseReply;
import dev.quoin.member.Membership;
import dev.quoin.member.ReadAnswer;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.store.HashWalk;
import dev.quoin.store.Hashing;
import dev.quoin.store.KeyHash;
import dev.quoin.store.Refusal;

/** What members and joiners ask a member beside consensus (etcdhttp/peer.go, version.go; corrupt.go; leasehttp). */
final class ClusterFront {
    static final String PROMOTE = "/members/promote/";

    private static final Logger LOG = LoggerFactory.getLogger(ClusterFront.class);
    private static final int LEASE_BYTES_MAX = 65_536;

    // ---- members

    HttpResponse members(PeerHost host, HttpRequest request) {
        return request.method().equals("GET")
                ? PeerAnswers.json(200, list(host.membership()), clusterId(host))
                : PeerAnswers.onlyMethod("GET");
    }

    private static String list(Membership membership) {
        return membership.members().stream().map(member -> member.json().toUtf8())
                .collect(Collectors.joining(",", "[", "]\n"));
    }

    HttpResponse promote(PeerHost host, HttpRequest request) throws InterruptedException {
        if (!request.method().equals("POST")) {
            return PeerAnswers.onlyMethod("POST");
        }
        HttpFields headers = clusterId(host);
        String text = request.path().substring(PROMOTE.length());
        Long id = decimal(text);
        if (id == null) {
            return PeerAnswers.error(404, "member " + text + " not found in cluster", headers);
        }
        // A member has found out who asks it. One that shows a certificate could as well propose what it wants; etcd asks even that
        // one for a token, which users who are known by their certificates do not have.
        boolean isMember = request.peer().commonName() != null;
        if (!isMember && !host.mayChangeMembers(request.headers().first("authorization"))) {
            LOG.atWarn().addKeyValue("member-id", Long.toHexString(id))
                    .log("failed to promote a member: not in the name of somebody who may");
            return Promotion.internal(headers);
        }
        Promotion promotion = new Promotion();
        host.changeMembers(new ClusterChange.Promote(id), promotion);
        HttpResponse answer = promotion.await(headers);
        if (answer.status() != 200) {
            LOG.atWarn().addKeyValue("member-id", Long.toHexString(id)).addKeyValue("status", answer.status())
                    .log("failed to promote a member");
        }
        return answer;
    }

    private static @Nullable Long decimal(String text) {
        try {
            return text.matches("[0-9]+") ? Long.valueOf(Long.parseUnsignedLong(text)) : null;
        } catch (NumberFormatException tooLong) {
            return null;
        }
    }

    /** What becomes of a promotion, in etcd's words. */
    private static final class Promotion implements ChangeAnswer {
        private sealed interface End {
            record Changed(Membership membership) implements End {}

            record Refused(ChangeRefusal why) implements End {}

            record Failed(Failure failure) implements End {}
        }

        private final CompletableFuture<End> end = new CompletableFuture<>();

        @Override
        public void changed(Membership membership) {
            end.complete(new End.Changed(membership));
        }

        @Override
        public void refused(ChangeRefusal why) {
            end.complete(new End.Refused(why));
        }

        @Override
        public void failed(Failure failure) {
            end.complete(new End.Failed(failure));
        }

        HttpResponse await(HttpFields headers) throws InterruptedException {
            return switch (ClusterFront.await(end)) {
                case End.Changed(Membership membership) -> PeerAnswers.json(200, list(membership), headers);
                case End.Refused(ChangeRefusal why) -> refused(why, headers);
                case End.Failed failed -> internal(headers);
            };
        }

        private static HttpResponse refused(ChangeRefusal why, HttpFields headers) {
            return switch (why) {
                case ID_NOT_FOUND -> PeerAnswers.error(404, "membership: ID not found", headers);
                case NOT_A_LEARNER ->
                    PeerAnswers.error(412, "membership: can only promote a learner member", headers);
                case LEARNER_NOT_READY -> PeerAnswers.error(412,
                        "etcdserver: can only promote a learner member which is in sync with leader", headers);
                case ID_REMOVED, ID_EXISTS, PEER_URL_EXISTS, TOO_MANY_LEARNERS, NOT_ENOUGH_STARTED, UNHEALTHY,
                        NOT_LEADER ->
                    internal(headers);
            };
        }

        private static HttpResponse internal(HttpFields headers) {
            return PeerAnswers.json(500, "{\"message\":\"Internal Server Error\"}", headers);
        }
    }

    // ---- versions

    HttpResponse version(PeerHost host, HttpRequest request) {
        if (!request.method().equals("GET")) {
            return PeerAnswers.onlyMethod("GET");
        }
        Membership membership = host.membership();
        String cluster = membership.clusterVersion();
        return PeerAnswers.json(200, "{\"etcdserver\":\"" + PeerHeaders.OWN_VERSION + "\",\"etcdcluster\":\""
                + (cluster.isEmpty() ? "not_decided" : cluster) + "\",\"storage\":\"" + membership.storageVersion()
                + "\"}",
                HttpFields.of(PeerHeaders.QUOIN, PeerHeaders.OWN_QUOIN));
    }

    /** Only once it is known what the cluster has agreed on. */
    HttpResponse downgradeEnabled(PeerHost host, HttpRequest request) throws InterruptedException {
        if (!request.method().equals("GET")) {
            return PeerAnswers.onlyMethod("GET");
        }
        HttpFields headers = clusterId(host);
        CompletableFuture<String> failure = new CompletableFuture<>();
        host.read(new ReadAnswer() {
            @Override
            public void ready() {
                failure.complete("");
            }

            @Override
            public void failed(Failure why) {
                failure.complete(text(why));
            }
        });
        String why = await(failure);
        if (!why.isEmpty()) {
            return PeerAnswers.error(500, "failed linearized read: " + why, headers);
        }
        boolean enabled = !host.membership().downgradeTarget().isEmpty();
        return new HttpResponse(200, headers.with("content-type", "text/plain"),
                new HttpResponse.Body.Whole(Bytes.utf8(Boolean.toString(enabled))));
    }

    private static String text(Failure failure) {
        return switch (failure) {
            case TIMEOUT -> "etcdserver: request timed out";
            case LEADER_LOST -> "etcdserver: leader changed";
            case CONNECTION_LOST -> "etcdserver: request timed out, possibly due to connection lost";
            case NOT_LEADER -> "etcdserver: not leader";
            case STOPPED -> "etcdserver: server stopped";
            case TOO_MANY_REQUESTS -> "etcdserver: too many requests";
            case NO_ROOM -> "quoin: the disk has no room";
            case DISK_FULL -> "etcdserver: mvcc: database space exceeded";
        };
    }

    // ---- hashes

    HttpResponse hashKv(PeerHost host, HttpRequest request) {
        if (!request.method().equals("GET")) {
            return PeerAnswers.onlyMethod("GET");
        }
        String cluster = request.headers().first(PeerHeaders.CLUSTER_ID);
        if (cluster != null && !cluster.isEmpty() && !cluster.equals(Long.toHexString(host.clusterId()))) {
            return PeerAnswers.error(412, "cluster ID mismatch");
        }
        long revision;
        try {
            revision = revision(request.body().toUtf8());
        } catch (IOException | IllegalStateException | NumberFormatException malformed) {
            return PeerAnswers.error(400, "error unmarshalling request");
        }
        long newest = host.revision();
        Hashing hashing;
        try {
            hashing = host.hash(revision);
        } catch (Damaged damaged) {
            return PeerAnswers.error(400, String.valueOf(damaged.getMessage()));
        }
        return switch (hashing) {
            case Hashing.Known(KeyHash hash) -> PeerAnswers.json(200, hash(hash, newest), clusterId(host));
            case Hashing.Refused(Refusal why) -> PeerAnswers.error(400, why == Refusal.COMPACTED
                    ? "mvcc: required revision has been compacted"
                    : "mvcc: required revision is a future revision");
            case HashWalk walk -> throw Invariant.violation("a hash that nobody has computed");
        };
    }

    private static long revision(String body) throws IOException {
        long revision = 0;
        try (JsonReader json = new JsonReader(new StringReader(body))) {
            json.beginObject();
            while (json.hasNext()) {
                if (json.nextName().equalsIgnoreCase("revision") && json.peek() != JsonToken.NULL) {
                    if (json.peek() != JsonToken.NUMBER) {
                        throw new IllegalStateException("a revision that is no number");
                    }
                    revision = Long.parseLong(json.nextString());
                } else {
                    json.skipValue();
                }
            }
            json.endObject();
            if (json.peek() != JsonToken.END_DOCUMENT) {
                throw new IllegalStateException("more than one value");
            }
        }
        return revision;
    }

    /** Zeros are left out, but who asks needs the header. */
    private static String hash(KeyHash hash, long newest) {
        StringBuilder json = new StringBuilder("{\"header\":{");
        number(json, "revision", newest);
        json.append('}');
        number(json.append(hash.hash() == 0 ? "" : ","), "hash", Integer.toUnsignedLong(hash.hash()));
        number(json.append(hash.compactRevision() == 0 ? "" : ","), "compact_revision", hash.compactRevision());
        number(json.append(hash.revision() == 0 ? "" : ","), "hash_revision", hash.revision());
        return json.append('}').toString();
    }

    private static void number(StringBuilder json, String name, long value) {
        if (value != 0) {
            json.append('"').append(name).append("\":").append(value);
        }
    }

    // ---- leases

    HttpResponse leases(PeerHost host, HttpRequest request) throws InterruptedException {
        if (!request.method().equals("POST")) {
            return PeerAnswers.error(405, "Method Not Allowed");
        }
        if (request.body().length() > LEASE_BYTES_MAX) {
            return PeerAnswers.error(413, "request body too large");
        }
        CompletableFuture<LeaseReply> reply = new CompletableFuture<>();
        LeaseQuestion question;
        try {
            question = question(request, reply::complete);
        } catch (InvalidProtocolBufferException malformed) {
            return PeerAnswers.error(400, "error unmarshalling request");
        }
        host.askLessor(List.of(question));
        return leaseAnswer(question, await(reply));
    }

    private static LeaseQuestion question(HttpRequest request, LeaseQuestion.Asker asker)
            throws InvalidProtocolBufferException {
        byte[] body = request.body().toByteArray();
        if (request.path().equals("/leases")) {
            return new LeaseQuestion.Renew(LeaseKeepAliveRequest.parseFrom(body).getID(), asker);
        }
        LeaseTimeToLiveRequest asked = LeaseInternalRequest.parseFrom(body).getLeaseTimeToLiveRequest();
        return new LeaseQuestion.TimeToLive(asked.getID(), asked.getKeys(), asker);
    }

    private static HttpResponse leaseAnswer(LeaseQuestion question, LeaseReply reply) {
        boolean renews = question instanceof LeaseQuestion.Renew;
        return switch (reply) {
            case LeaseReply.Renewed(long ttlSeconds) -> message(
                    LeaseKeepAliveResponse.newBuilder().setID(question.lease()).setTTL(ttlSeconds).build());
            case LeaseReply.TimeToLive(long ttlSeconds, long grantedSeconds, List<Bytes> keys) ->
                message(LeaseInternalResponse.newBuilder()
                        .setLeaseTimeToLiveResponse(LeaseTimeToLiveResponse.newBuilder()
                                .setHeader(ResponseHeader.getDefaultInstance()).setID(question.lease())
                                .setTTL(ttlSeconds).setGrantedTTL(grantedSeconds)
                                .addAllKeys(keys.stream().map(ClusterFront::byteString).toList()))
                        .build());
            case LeaseReply.Unknown() -> PeerAnswers.error(404, "lease not found");
            case LeaseReply.ApplyingTooLong() ->
                PeerAnswers.error(408, "waiting for node to catch up its applied index has timed out");
            case LeaseReply.NotPrimary(),LeaseReply.NoLeader() ->
                PeerAnswers.error(renews ? 400 : 500, "not a primary lessor");
            case LeaseReply.Failed(Failure failure) -> PeerAnswers.error(renews ? 400 : 500, text(failure));
        };
    }

    private static ByteString byteString(Bytes bytes) {
        return ByteString.copyFrom(bytes.array(), bytes.offset(), bytes.length());
    }

    private static HttpResponse message(MessageLite message) {
        return HttpResponse.of(200, "application/protobuf", Bytes.of(message.toByteArray()));
    }

    // ----

    private static HttpFields clusterId(PeerHost host) {
        return HttpFields.of(PeerHeaders.CLUSTER_ID, Long.toHexString(host.clusterId()));
    }

    private static <T> T await(CompletableFuture<T> future) throws InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException never) {
            throw new IllegalStateException("a future of ours failed", never);
        }
    }
}
