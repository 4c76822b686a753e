package dev.quoin.server;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;

import dev.quoin.api.etcdserverpb.LeaseGrantRequest;
import dev.quoin.api.etcdserverpb.LeaseLeasesRequest;
import dev.quoin.api.etcdserverpb.LeaseLeasesResponse;
import dev.quoin.api.etcdserverpb.LeaseRevokeRequest;
import dev.quoin.api.etcdserverpb.LeaseStatus;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveRequest;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.base.Bytes;
import dev.quoin.member.Failure;
import dev.quoin.member.LeaseList;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.LeaseReply;
import dev.quoin.member.Member;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;
import dev.quoin.net.StatusException;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.Outcome;
import dev.quoin.store.Refusal;

/**
 * etcdserverpb.Lease. Granting and revoking are entries of the log, handed over with all others of the turn; renewing has
 * its own class ({@link KeepAlives}).
 */
final class LeaseService {
    private static final String SERVICE = "/etcdserverpb.Lease/";
    private static final int LEASES_PER_SLICE = 1_000;

    private final Member member;
    private final Access access;
    private final MemberCalls calls;
    private final LeaseDesk desk;
    private final Answers answers;
    private final KeepAlives keepAlives;
    private final Proposing proposing;

    LeaseService(Member member, Access access, MemberCalls calls, LeaseDesk desk, Answers answers,
            ServerLimits limits) {
        this.member = member;
        this.access = access;
        this.calls = calls;
        this.desk = desk;
        this.answers = answers;
        proposing = new Proposing(member, access, limits.requestBytesMax());
        keepAlives = new KeepAlives(member, access, desk, answers);
    }

    List<Method> methods() {
        return List.of(hot("LeaseGrant", this::grant), hot("LeaseRevoke", this::revoke),
                Method.hot(SERVICE + "LeaseKeepAlive", Method.Kind.BIDI, keepAlives),
                Unary.method(SERVICE + "LeaseTimeToLive", LeaseTimeToLiveRequest.parser(), this::timeToLive),
                Unary.method(SERVICE + "LeaseLeases", LeaseLeasesRequest.parser(), this::leases));
    }

    private interface Request {
        void arrived(Call call, ByteString message) throws InvalidProtocolBufferException;
    }

    private Method hot(String name, Request request) {
        return Method.hot(SERVICE + name, Method.Kind.UNARY, new Handler() {
            @Override
            public void onMessage(Call call, Bytes message) {
                try {
                    request.arrived(call, ByteString.copyFrom(message.array(), message.offset(), message.length()));
                } catch (InvalidProtocolBufferException malformed) {
                    call.finish(Errors.unreadable(String.valueOf(malformed.getMessage())));
                }
            }
        });
    }

    /** Space first (v3rpc/quota.go): a lease takes some. */
    private void grant(Call call, ByteString message) throws InvalidProtocolBufferException {
        LeaseGrantRequest request = LeaseGrantRequest.parseFrom(message);
        if (member.isOverQuota(Command.LEASE_BYTES)) {
            member.raiseNoSpace(() -> call.finish(Errors.of(Refusal.NO_SPACE)));
            return;
        }
        LeaseGrantRequest named = request.getID() != 0 ? request
                : request.toBuilder().setID(member.nextLeaseId()).build();
        propose(call, Requests.Kind.LEASE_GRANT, Bytes.of(named.toByteArray()));
    }

    private void revoke(Call call, ByteString message) throws InvalidProtocolBufferException {
        propose(call, Requests.Kind.LEASE_REVOKE,
                Bytes.of(LeaseRevokeRequest.parseFrom(message).toByteArray()));
    }

    /** Somebody must have asked, as this member knows them; what else they need is looked at where it is applied. */
    private void propose(Call call, Requests.Kind kind, Bytes message) {
        proposing.propose(call, kind, message, Access.Word.OF_THE_MEMBER, Access.SOMEBODY, outcome -> {
            if (outcome instanceof Outcome.Refused(Refusal reason)) {
                call.finish(Errors.of(reason));
            } else {
                call.finish(answers.of(outcome));
            }
        });
    }

    private LeaseTimeToLiveResponse timeToLive(Call call, LeaseTimeToLiveRequest request)
            throws StatusException, InterruptedException {
        Caller caller = access.permit(call, Access.Word.OF_THE_MEMBER, Access.SOMEBODY);
        AuthView auth = member.view().auth();
        boolean areKeysGuarded = request.getKeys() && auth.checkRoot(caller) != null;
        if (areKeysGuarded) {
            checkReads(caller, calls.leaseKeys(request.getID()));
        }
        LeaseTimeToLiveResponse.Builder response = LeaseTimeToLiveResponse.newBuilder().setID(request.getID());
        switch (ask(request)) {
            case LeaseReply.TimeToLive(long ttlSeconds, long grantedSeconds, List<Bytes> keys) -> {
                if (areKeysGuarded) {
                    checkReads(caller, keys);
                }
                response.setTTL(ttlSeconds).setGrantedTTL(grantedSeconds);
                keys.forEach(key -> response.addKeys(ByteString.copyFrom(key.array(), key.offset(), key.length())));
            }
            case LeaseReply.Unknown() -> response.setTTL(-1);
            case LeaseReply.NoLeader() -> throw new StatusException(Errors.NO_LEADER);
            case LeaseReply.NotPrimary() -> throw new StatusException(Errors.LEADER_CHANGED);
            case LeaseReply.ApplyingTooLong() -> throw new StatusException(Errors.APPLYING_TOO_LONG);
            case LeaseReply.Failed(Failure failure) -> throw new StatusException(Errors.of(failure));
            case LeaseReply.Renewed renewed -> throw new IllegalStateException("nobody asked for a renewal");
        }
        if (request.getKeys()) {
            checkUnchanged(auth.revision());
        }
        return response.setHeader(calls.header(member.view().revision())).build();
    }

    /** Whether the caller may be told that these keys are attached to a lease: this member's list, and then the leader's. */
    private void checkReads(Caller caller, List<Bytes> keys) throws StatusException {
        Refusal refusal = member.view().auth().checkLeaseRead(caller, keys);
        if (refusal != null) {
            throw new StatusException(Errors.of(refusal));
        }
    }

    private void checkUnchanged(long authRevision) throws StatusException {
        AuthView auth = member.view().auth();
        if (auth.enabled() && auth.revision() != authRevision) {
            throw new StatusException(Errors.of(Refusal.AUTH_OLD_REVISION));
        }
    }

    private LeaseReply ask(LeaseTimeToLiveRequest request) throws StatusException, InterruptedException {
        CompletableFuture<LeaseReply> reply = new CompletableFuture<>();
        desk.ask(List.of(
                new LeaseQuestion.TimeToLive(request.getID(), request.getKeys(), reply::complete)));
        return MemberCalls.await(reply);
    }

    private LeaseLeasesResponse leases(Call call, LeaseLeasesRequest request)
            throws StatusException, InterruptedException {
        Caller caller = access.permit(call, Access.Word.OF_THE_MEMBER, Access.SOMEBODY);
        AuthView auth = member.view().auth();
        CompletableFuture<LeaseList> found = new CompletableFuture<>();
        member.lessor().list(found::complete);
        long[] ids = MemberCalls.await(found).ids();
        if (auth.checkRoot(caller) != null) {
            checkReadsOfAll(caller, ids);
            checkUnchanged(auth.revision());
        }
        LeaseLeasesResponse.Builder response = LeaseLeasesResponse.newBuilder()
                .setHeader(calls.header(member.view().revision()));
        for (long id : ids) {
            response.addLeases(LeaseStatus.newBuilder().setID(id));
        }
        return response.build();
    }

    /** A lease is named only to who may read all that is attached to any: a slice at a time, for there may be many. */
    private void checkReadsOfAll(Caller caller, long[] ids) throws StatusException, InterruptedException {
        for (int from = 0; from < ids.length; from += LEASES_PER_SLICE) {
            List<CompletableFuture<List<Bytes>>> slice = new ArrayList<>();
            for (long id : Arrays.copyOfRange(ids, from, Math.min(ids.length, from + LEASES_PER_SLICE))) {
                CompletableFuture<List<Bytes>> keys = new CompletableFuture<>();
                member.leaseKeys(id, keys::complete);
                slice.add(keys);
            }
            for (CompletableFuture<List<Bytes>> keys : slice) {
                checkReads(caller, MemberCalls.await(keys));
            }
        }
    }
}
