package dev.quoin.server.peer;

import java.util.List;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Versions;
import dev.quoin.member.SemVersion;
import dev.quoin.net.HttpFields;

/** The fields by which members know each other (rafthttp/util.go, http.go). */
final class PeerHeaders {
    static final String FROM = "x-server-from";
    static final String VERSION = "x-server-version";
    static final String MIN_CLUSTER_VERSION = "x-min-cluster-version";
    static final String CLUSTER_ID = "x-etcd-cluster-id";
    static final String TO = "x-raft-to";
    static final String PEER_URLS = "x-peerurls";
    /** By which members of ours know each other; etcd's do not look at it. */
    static final String QUOIN = Versions.HEADER;
    static final String OWN_QUOIN = "1";

    /** The etcd that this server speaks as. */
    static final String OWN_VERSION = Versions.ETCD;
    private static final String OWN_MIN_CLUSTER_VERSION = "3.0.0";
    private static final SemVersion OWN = SemVersion.of(OWN_VERSION).withoutPatch();
    private static final SemVersion OWN_MIN = SemVersion.of(OWN_MIN_CLUSTER_VERSION);
    /** Who says nothing is as old as that. */
    private static final String SILENT_VERSION = "2.0.0";
    /** The first to dial streams of the kinds that are left. */
    private static final SemVersion STREAMS_SINCE = new SemVersion(2, 1, 0);

    private PeerHeaders() {}

    /** What each of our requests says. */
    static HttpFields own(long memberId, long clusterId, List<String> peerUrls) {
        HttpFields fields = HttpFields.of(FROM, Long.toHexString(memberId), VERSION, OWN_VERSION, MIN_CLUSTER_VERSION,
                OWN_MIN_CLUSTER_VERSION, CLUSTER_ID, Long.toHexString(clusterId));
        return peerUrls.isEmpty() ? fields : fields.with(PEER_URLS, String.join(",", peerUrls));
    }

    /** Why a request of a member is not one for us, in etcd's words; null if it is. */
    static @Nullable String refusal(HttpFields headers, long clusterId) {
        SemVersion theirs = version(headers, VERSION);
        SemVersion least = version(headers, MIN_CLUSTER_VERSION);
        if (theirs == null || least == null || theirs.withoutPatch().compareTo(OWN_MIN) < 0
                || least.withoutPatch().compareTo(OWN) > 0) {
            return "incompatible version";
        }
        return Long.toHexString(clusterId).equals(headers.first(CLUSTER_ID)) ? null : "cluster ID mismatch";
    }

    /** Whether the answer comes from a server that knows our two streams. */
    static boolean knowsStreams(HttpFields headers) {
        SemVersion theirs = version(headers, VERSION);
        return theirs != null && theirs.withoutPatch().compareTo(STREAMS_SINCE) >= 0;
    }

    private static @Nullable SemVersion version(HttpFields headers, String name) {
        return SemVersion.parse(Objects.requireNonNullElse(headers.first(name), SILENT_VERSION));
    }

    /** An id in hexadecimal; null if it is none. */
    static @Nullable Long id(@Nullable String text) {
        if (text == null || !text.matches("[0-9a-fA-F]+")) {
            return null;
        }
        try {
            return Long.parseUnsignedLong(text, 16);
        } catch (NumberFormatException tooLong) {
            return null;
        }
    }
}
