package dev.quoin.member;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * Ids of members and clusters, derived as etcd derives them (api/membership/member.go, cluster.go), since clients and
 * tools compare them: the first eight bytes of a SHA-1.
 */
public final class Ids {
    private Ids() {}

    /** The id of a member that a cluster starts with: its peer URLs, sorted, then the cluster's token. */
    public static long member(List<String> peerUrls, String clusterToken) {
        MessageDigest digest = sha1();
        peerUrls.stream().sorted().forEach(url -> digest.update(url.getBytes(StandardCharsets.UTF_8)));
        digest.update(clusterToken.getBytes(StandardCharsets.UTF_8));
        return firstEight(digest);
    }

    /** The id of a member that is added to a cluster: as at the start, without a token but with the time in seconds. */
    public static long added(List<String> peerUrls, long epochSeconds) {
        return member(peerUrls, Long.toString(epochSeconds));
    }

    /** The id of the cluster that these members start. */
    public static long cluster(List<Long> memberIds) {
        MessageDigest digest = sha1();
        memberIds.stream().sorted(Long::compareUnsigned)
                .forEach(id -> digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, id)));
        return firstEight(digest);
    }

    private static long firstEight(MessageDigest digest) {
        return ByteBuffer.wrap(digest.digest()).getLong();
    }

    private static MessageDigest sha1() {
        try {
            return MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-1", e);
        }
    }
}
