package dev.quoin.ctl.migrate;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * A member of the cluster's list, with what it said itself.
 *
 * @param name empty as long as it was never started
 * @param answer nothing if it did not answer
 * @param silence then why
 */
public record MemberSeen(long id, String name, boolean isLearner, List<String> peerUrls, List<String> clientUrls,
        @Nullable Answer answer, String silence) {
    private static final Pattern HOST = Pattern.compile("[a-z]+://(\\[[^]]*]|[^:/]*).*");

    /**
     * What a member said of itself.
     *
     * @param endpoint where it was asked
     * @param version of etcd, which Quoin names as well
     * @param storageVersion of its data; empty if it does not say
     * @param leader whom it takes for the leader; 0 for nobody
     * @param raftIndex the last entry that it knows to be committed
     * @param appliedIndex the last entry that it has applied
     * @param quotaBytes 0 if it does not say
     * @param downgradeTarget empty if none is under way
     * @param authRevision of its users and roles, which it moves at each change of them; {@link #NOT_TOLD} if it does not say
     * @param readError why a linearizable read through it failed; empty if it did not
     */
    public record Answer(String endpoint, Kind kind, String version, String storageVersion, long leader, long term,
            long raftIndex, long appliedIndex, long storeBytes, long storeBytesInUse, long quotaBytes,
            String downgradeTarget, long authRevision, String readError) {
        public static final long NOT_TOLD = -1;

        /** Compared with the quota: files in etcd, what is in use in Quoin. */
        long countedBytes() {
            return kind == Kind.ETCD ? storeBytes : storeBytesInUse;
        }
    }

    /** What it is called where people read: its name, or its id. */
    public String label() {
        return name.isEmpty() ? hexId() : name;
    }

    public String hexId() {
        return Long.toHexString(id);
    }

    /** The host that others reach it on; an address of IPv6 is bare, as ssh wants it. */
    String host() {
        Matcher matcher = HOST.matcher(peerUrls.isEmpty() ? "" : peerUrls.get(0));
        String host = matcher.matches() ? matcher.group(1) : "";
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    public boolean isDown() {
        return answer == null;
    }

    boolean is(Kind kind) {
        return answer != null && answer.kind == kind;
    }

    /** Whether it says that it leads. */
    public boolean leads() {
        return answer != null && answer.leader == id;
    }
}
