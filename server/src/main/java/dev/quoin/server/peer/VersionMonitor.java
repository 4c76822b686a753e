package dev.quoin.server.peer;

import java.io.IOException;
import java.io.StringReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import com.google.gson.stream.JsonReader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.member.Failure;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.Membership;
import dev.quoin.member.ReadAnswer;
import dev.quoin.member.SemVersion;
import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.net.HttpFields;
import dev.quoin.server.dial.Exchange;

/**
 * Sees to it that the cluster agrees on the version that all its members have (version/monitor.go): while its member leads
 * it asks the others for theirs, at once and then every few seconds, and proposes what follows; and now and then whether a
 * downgrade that was announced is done. What members of ours alone may be asked to do is done while all say that they are;
 * a member that does not lead asks too, if that matters to it. On a virtual thread.
 */
public final class VersionMonitor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VersionMonitor.class);
    private static final long LOOK_MILLIS = 100;
    private static final long ASK_NANOS = TimeUnit.SECONDS.toNanos(4);
    /** As long as some member's version is not known. */
    private static final SemVersion LEAST = new SemVersion(3, 0, 0);

    /** What is to be proposed. */
    sealed interface Decision {
        record Nothing() implements Decision {}

        record ClusterVersion(SemVersion version) implements Decision {}
    }

    /** What a member's server is. */
    private record Told(SemVersion version, boolean isQuoin) {}

    private static final long NEVER = -1;

    private final PeerHost host;
    private final PeerNetwork network;
    private final boolean checkpointsAlways;
    private final long downgradeCheckNanos;
    /** The term in which this member leads and all have said that they are Quoin. */
    private volatile long quoinTerm = NEVER;
    private final Thread thread = Thread.ofVirtual().name("peer-versions").unstarted(this::run);

    private VersionMonitor(PeerHost host, PeerNetwork network, boolean checkpointsAlways, Duration downgradeCheck) {
        this.host = host;
        this.network = network;
        this.checkpointsAlways = checkpointsAlways;
        this.downgradeCheckNanos = downgradeCheck.toNanos();
    }

    /**
     * Begins, on a network that is open.
     *
     * @param checkpointsAlways whether what leases have left is written down among members of other kinds, too
     *                          ({@code LeaseCheckpoint})
     * @param downgradeCheck    between two looks whether a downgrade is done; not positive: nobody looks
     */
    public static VersionMonitor start(PeerHost host, PeerNetwork network, boolean checkpointsAlways,
            Duration downgradeCheck) {
        VersionMonitor monitor = new VersionMonitor(host, network, checkpointsAlways, downgradeCheck);
        monitor.thread.start();
        return monitor;
    }

    /** Whether this member leads, and all have said that they are Quoin. Any thread. */
    public boolean areAllQuoin() {
        return quoinTerm == host.term() && host.leader() == host.memberId();
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void run() {
        long termAsked = 0;
        long askedAt = System.nanoTime();
        long downgradeCheckedAt = askedAt;
        try {
            while (true) {
                boolean leads = host.leader() == host.memberId();
                boolean isNew = leads && host.term() != termAsked;
                boolean isDue = isNew || System.nanoTime() - askedAt >= ASK_NANOS;
                if (isDue && (leads || host.asksWhoTheOthersAre())) {
                    termAsked = leads ? host.term() : termAsked;
                    askedAt = System.nanoTime();
                    if (!isNew || hasAppliedItsTerm()) {
                        check(leads);
                    }
                }
                if (downgradeCheckNanos > 0 && System.nanoTime() - downgradeCheckedAt >= downgradeCheckNanos) {
                    downgradeCheckedAt = System.nanoTime();
                    endDowngradeIfDone(leads);
                }
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            }
        } catch (InterruptedException closed) {
            // That is how it ends.
        }
    }

    /** Waits until what the leader before this one has decided is applied here; false if that takes too long. */
    private boolean hasAppliedItsTerm() throws InterruptedException {
        CompletableFuture<Boolean> applied = new CompletableFuture<>();
        host.read(new ReadAnswer() {
            @Override
            public void ready() {
                applied.complete(true);
            }

            @Override
            public void failed(Failure failure) {
                applied.complete(false);
            }
        });
        try {
            return applied.get(ASK_NANOS, TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException late) {
            return false;
        }
    }

    private void check(boolean leads) throws InterruptedException {
        Membership membership = host.membership();
        List<@Nullable Told> told = askAll(membership);
        List<@Nullable SemVersion> versions = versions(told);
        boolean areQuoin = told.stream().allMatch(one -> one != null && one.isQuoin);
        host.hears(areQuoin);
        if (!leads) {
            return;
        }
        quoinTerm = areQuoin ? host.term() : NEVER;
        // Members of ours are sure to apply it as we do, and to keep it.
        host.checkpointLeases(areQuoin || checkpointsAlways);
        if (membership.members().size() == 1 && membership.clusterVersion().isEmpty()) {
            return; // It has said so itself, when it began to lead.
        }
        switch (decide(host.membership(), versions)) {
            case Decision.Nothing nothing -> {}
            case Decision.ClusterVersion(SemVersion version) -> {
                LOG.atInfo().addKeyValue("from", membership.clusterVersion()).addKeyValue("to", version)
                        .log("updating cluster version using v3 API");
                host.proposeClusterVersion(version.toString());
            }
        }
    }

    private void endDowngradeIfDone(boolean leads) throws InterruptedException {
        Membership membership = host.membership();
        SemVersion target = SemVersion.parse(membership.downgradeTarget());
        if (leads && target != null && isDowngradeDone(target, versions(askAll(membership)))) {
            LOG.atInfo().addKeyValue("cluster-version", membership.downgradeTarget())
                    .log("the cluster has been downgraded");
            host.proposeDowngradeEnd();
        }
    }

    /** Of each member what it says of itself, null if it does not. */
    private List<@Nullable Told> askAll(Membership membership) throws InterruptedException {
        List<@Nullable Told> told = new ArrayList<>();
        for (MemberInfo member : membership.members()) {
            told.add(member.id() == host.memberId()
                    ? new Told(SemVersion.of(PeerHeaders.OWN_VERSION), true)
                    : ask(member));
        }
        return told;
    }

    private static List<@Nullable SemVersion> versions(List<@Nullable Told> told) {
        List<@Nullable SemVersion> versions = new ArrayList<>();
        for (Told one : told) {
            versions.add(one == null ? null : one.version);
        }
        return versions;
    }

    /** Whether the servers of all members are of the version that a downgrade goes to. */
    static boolean isDowngradeDone(SemVersion target, List<@Nullable SemVersion> versions) {
        return versions.stream()
                .allMatch(version -> version != null && version.withoutPatch().equals(target.withoutPatch()));
    }

    /**
     * What follows from the versions of all members. The version of a cluster only rises, to the lowest of its members';
     * but for a downgrade that was announced, which goes back by one.
     *
     * @param versions of the servers of all members; null where it is not known
     */
    static Decision decide(Membership membership, List<@Nullable SemVersion> versions) {
        SemVersion lowest = lowest(versions);
        SemVersion cluster = SemVersion.parse(membership.clusterVersion());
        if (cluster == null) {
            return new Decision.ClusterVersion(lowest == null ? LEAST : lowest);
        }
        if (lowest == null) {
            return new Decision.Nothing();
        }
        SemVersion target = SemVersion.parse(membership.downgradeTarget());
        if (target != null) {
            return downgrade(cluster, lowest, target);
        }
        boolean rises = cluster.major() == lowest.major() && cluster.compareTo(lowest) < 0;
        return rises ? new Decision.ClusterVersion(lowest) : new Decision.Nothing();
    }

    private static Decision downgrade(SemVersion cluster, SemVersion lowest, SemVersion target) {
        if (target.equals(cluster)) {
            return new Decision.Nothing();
        }
        if (!isStepDown(cluster, target) || !isStepDown(lowest, target)) {
            LOG.atError().addKeyValue("downgrade-target", target).addKeyValue("cluster-version", cluster)
                    .addKeyValue("minimal-server-version", lowest).log("invalid downgrade target");
            return new Decision.Nothing();
        }
        return new Decision.ClusterVersion(target);
    }

    private static boolean isStepDown(SemVersion from, SemVersion to) {
        return to.equals(new SemVersion(from.major(), from.minor() - 1, 0));
    }

    /** Without its patch; null if one is not known. */
    private static @Nullable SemVersion lowest(List<@Nullable SemVersion> versions) {
        SemVersion lowest = null;
        for (SemVersion version : versions) {
            if (version == null) {
                return null;
            }
            if (lowest == null || version.compareTo(lowest) < 0) {
                lowest = version;
            }
        }
        return lowest == null ? null : lowest.withoutPatch();
    }

    /** Null if it does not say. */
    private @Nullable Told ask(MemberInfo member) throws InterruptedException {
        String failure = "no peer URL";
        for (DialTarget target : PeerTargets.parse(member.peerUrls())) {
            try {
                PeerLimits limits = network.limits();
                Exchange.Reply reply = network.client().ask(target, DialRequest.get("/version", HttpFields.EMPTY,
                        limits.answerBytesMax(), limits.silenceMillisMax()));
                SemVersion version = server(reply.body().toUtf8());
                return version == null ? null
                        : new Told(version, reply.headers().first(PeerHeaders.QUOIN) != null);
            } catch (IOException | IllegalStateException failed) {
                failure = String.valueOf(failed.getMessage());
            }
        }
        LOG.atWarn().addKeyValue("remote-member-id", Long.toHexString(member.id())).addKeyValue("error", failure)
                .log("failed to get version");
        return null;
    }

    private static @Nullable SemVersion server(String body) throws IOException {
        SemVersion version = null;
        try (JsonReader json = new JsonReader(new StringReader(body))) {
            json.beginObject();
            while (json.hasNext()) {
                if (json.nextName().equals("etcdserver")) {
                    version = SemVersion.parse(json.nextString());
                } else {
                    json.skipValue();
                }
            }
            json.endObject();
        }
        return version;
    }
}
