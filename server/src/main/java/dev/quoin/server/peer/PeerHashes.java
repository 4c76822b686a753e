package dev.quoin.server.peer;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;

import com.google.gson.stream.JsonReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.Membership;
import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.net.HttpFields;
import dev.quoin.server.dial.Exchange;
import dev.quoin.store.KeyHash;

/**
 * Asks other members for their hashes, over their peer ports (etcdserver/corrupt.go getPeerHashKVs, HashByRev): one after the
 * other, each at all of its URLs until one answers. For threads that may wait.
 */
final class PeerHashes {
    private static final Logger LOG = LoggerFactory.getLogger(PeerHashes.class);
    private static final String PATH = "/members/hashkv";
    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int PRECONDITION_FAILED = 412;

    private final PeerClient client;
    private final PeerLimits limits;
    private final long withinMillis;

    /** @param withinMillis how long a member may take at an URL: the hash is computed meanwhile */
    PeerHashes(PeerClient client, PeerLimits limits, long withinMillis) {
        this.client = client;
        this.limits = limits;
        this.withinMillis = withinMillis;
    }

    /** One for each other member that has an URL. */
    List<PeerHash> ask(long self, long cluster, Membership membership, long revision) throws InterruptedException {
        List<PeerHash> hashes = new ArrayList<>();
        for (MemberInfo member : membership.members()) {
            if (member.id() != self && !member.peerUrls().isEmpty()) {
                hashes.add(ask(self, cluster, member, revision));
            }
        }
        return hashes;
    }

    private PeerHash ask(long self, long cluster, MemberInfo member, long revision) throws InterruptedException {
        PeerHash last = unknown(member, PeerHash.Why.NO_ANSWER, "no peer URL that can be dialled");
        for (DialTarget target : PeerTargets.parse(member.peerUrls())) {
            last = ask(cluster, member, target, revision);
            if (!(last instanceof PeerHash.Unknown(_, _, _, String error))) {
                return last;
            }
            LOG.atWarn().addKeyValue("local-member-id", Long.toHexString(self))
                    .addKeyValue("requested-revision", revision).addKeyValue("remote-peer-endpoint", target)
                    .addKeyValue("error", error).log("failed hash kv request");
        }
        return last;
    }

    private PeerHash ask(long cluster, MemberInfo member, DialTarget target, long revision)
            throws InterruptedException {
        DialRequest request = new DialRequest("GET", PATH,
                HttpFields.of("content-type", "application/json", PeerHeaders.CLUSTER_ID, Long.toHexString(cluster)),
                new DialRequest.Body.Whole(Bytes.utf8("{\"revision\":" + revision + "}")), limits.answerBytesMax(),
                withinMillis, false);
        try {
            Exchange.Reply reply = Exchange.ask(client.dialler(), target, request, withinMillis);
            return reply.status() == OK ? known(member, reply.text()) : refused(member, reply);
        } catch (IOException | IllegalStateException | NumberFormatException failed) {
            return unknown(member, PeerHash.Why.NO_ANSWER, String.valueOf(failed.getMessage()));
        }
    }

    private static PeerHash refused(MemberInfo member, Exchange.Reply reply) {
        String text = reply.message();
        PeerHash.Why why = PeerHash.Why.NO_ANSWER;
        if (reply.status() == BAD_REQUEST && text.contains("mvcc: required revision has been compacted")) {
            why = PeerHash.Why.COMPACTED;
        } else if (reply.status() == BAD_REQUEST && text.contains("mvcc: required revision is a future revision")) {
            why = PeerHash.Why.FUTURE_REVISION;
        } else if (reply.status() == PRECONDITION_FAILED && text.contains("cluster ID mismatch")) {
            why = PeerHash.Why.OTHER_CLUSTER;
        }
        return unknown(member, why, reply.status() + " " + text);
    }

    private static PeerHash unknown(MemberInfo member, PeerHash.Why why, String error) {
        return new PeerHash.Unknown(member.id(), member.peerUrls(), why, error);
    }

    /** HashKVResponse as Go's encoder writes it: what is 0 is left out. */
    private static PeerHash known(MemberInfo member, String body) throws IOException {
        long hash = 0;
        long compactRevision = 0;
        long hashRevision = 0;
        long revision = 0;
        try (JsonReader json = new JsonReader(new StringReader(body))) {
            json.beginObject();
            while (json.hasNext()) {
                switch (json.nextName()) {
                    case "hash" -> hash = Long.parseLong(json.nextString());
                    case "compact_revision" -> compactRevision = Long.parseLong(json.nextString());
                    case "hash_revision" -> hashRevision = Long.parseLong(json.nextString());
                    case "header" -> revision = revision(json);
                    default -> json.skipValue();
                }
            }
            json.endObject();
        }
        return new PeerHash.Known(member.id(), member.peerUrls(),
                new KeyHash((int) hash, compactRevision, hashRevision), revision);
    }

    private static long revision(JsonReader header) throws IOException {
        long revision = 0;
        header.beginObject();
        while (header.hasNext()) {
            if (header.nextName().equals("revision")) {
                revision = Long.parseLong(header.nextString());
            } else {
                header.skipValue();
            }
        }
        header.endObject();
        return revision;
    }
}
