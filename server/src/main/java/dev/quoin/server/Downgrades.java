package dev.quoin.server;

import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.api.etcdserverpb.DowngradeRequest;
import dev.quoin.api.etcdserverpb.DowngradeResponse;
import dev.quoin.member.Answer;
import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.SemVersion;
import dev.quoin.net.Call;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.store.Outcome;

/**
 * Maintenance.Downgrade: checks, begins or ends a downgrade by one minor version (etcdserver/v3_server.go, version/version.go).
 * What follows from one that has begun is the {@link dev.quoin.server.peer.VersionMonitor}'s.
 */
final class Downgrades {
    static final Status BAD_FORMAT = Status.of(Status.Code.INVALID_ARGUMENT,
            "etcdserver: wrong downgrade target version format");
    static final Status BAD_TARGET = Status.of(Status.Code.INVALID_ARGUMENT,
            "etcdserver: invalid downgrade target version");
    static final Status NO_CLUSTER_VERSION = Status.of(Status.Code.FAILED_PRECONDITION,
            "etcdserver: cluster version not found during downgrade");
    static final Status IN_PROGRESS = Status.of(Status.Code.FAILED_PRECONDITION,
            "etcdserver: cluster has a downgrade job in progress");
    private static final Status NOT_IN_PROGRESS = Status.of(Status.Code.FAILED_PRECONDITION,
            "etcdserver: no inflight downgrade job");
    private static final Status UNKNOWN_METHOD = Status.of(Status.Code.UNKNOWN, "etcdserver: unknown method");

    private static final Logger LOG = LoggerFactory.getLogger(Downgrades.class);

    private final Member member;
    private final MemberCalls calls;

    Downgrades(Member member, MemberCalls calls) {
        this.member = member;
        this.calls = calls;
    }

    DowngradeResponse downgrade(Call call, DowngradeRequest request) throws StatusException, InterruptedException {
        switch (request.getAction()) {
            case VALIDATE -> {
                SemVersion target = target(request.getVersion());
                // Before the read, as etcd does: without a version there is nothing to wait for.
                clusterVersion(member.membership().clusterVersion());
                validate(target);
            }
            case ENABLE -> enable(request.getVersion());
            case CANCEL -> cancel();
            case UNRECOGNIZED -> throw new StatusException(UNKNOWN_METHOD);
        }
        SemVersion cluster = clusterVersion(member.membership().clusterVersion());
        return DowngradeResponse.newBuilder().setHeader(calls.header(member.view().revision()))
                .setVersion(cluster.major() + "." + cluster.minor()).build();
    }

    /** {@code X.Y} or {@code X.Y.Z}, of which only the first two numbers count. */
    static SemVersion target(String text) throws StatusException {
        SemVersion whole = SemVersion.parse(text);
        SemVersion version = whole == null ? SemVersion.parse(text + ".0") : whole;
        if (version == null) {
            throw new StatusException(BAD_FORMAT);
        }
        return version.withoutPatch();
    }

    private static SemVersion clusterVersion(String text) throws StatusException {
        SemVersion version = SemVersion.parse(text);
        if (version == null) {
            throw new StatusException(NO_CLUSTER_VERSION);
        }
        return version;
    }

    /**
     * Why a cluster cannot go down to a version, or null.
     *
     * @param cluster the version it is at
     * @param underWay the target of a downgrade that has begun, or empty
     */
    static @Nullable Status refusal(SemVersion target, SemVersion cluster, String underWay) {
        if (!target.equals(new SemVersion(cluster.major(), cluster.minor() - 1, 0))) {
            return BAD_TARGET;
        }
        return underWay.isEmpty() ? null : IN_PROGRESS;
    }

    /** What this member knows may be old, so it first hears what the leader knows. */
    private void validate(SemVersion target) throws StatusException, InterruptedException {
        calls.linearize();
        Status refusal = refusal(target, clusterVersion(member.membership().clusterVersion()),
                member.membership().downgradeTarget());
        if (refusal != null) {
            throw new StatusException(refusal);
        }
    }

    private void enable(String version) throws StatusException, InterruptedException {
        try {
            SemVersion target = target(version);
            validate(target);
            propose(answer -> member.proposeDowngrade(target.toString(), answer));
        } catch (StatusException refused) {
            LOG.atWarn().addKeyValue("error", refused.status().message()).log("reject downgrade request");
            throw refused;
        }
    }

    /** Never fails, whatever comes of it: as etcd. */
    private void cancel() throws InterruptedException {
        try {
            calls.linearize();
            if (member.membership().downgradeTarget().isEmpty()) {
                throw new StatusException(NOT_IN_PROGRESS);
            }
            propose(member::proposeDowngradeEnd);
        } catch (StatusException failed) {
            LOG.atWarn().addKeyValue("error", failed.status().message()).log("failed to cancel downgrade");
        }
    }

    private static void propose(Consumer<Answer> proposal) throws StatusException, InterruptedException {
        CompletableFuture<Boolean> applied = new CompletableFuture<>();
        proposal.accept(new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                applied.complete(true);
            }

            @Override
            public void failed(Failure failure) {
                applied.completeExceptionally(new StatusException(Errors.of(failure)));
            }
        });
        MemberCalls.await(applied);
    }
}
