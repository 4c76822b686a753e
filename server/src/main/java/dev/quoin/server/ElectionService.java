package dev.quoin.server;

import java.util.List;
import java.util.function.Function;

import com.google.protobuf.InvalidProtocolBufferException;

import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.api.v3electionpb.CampaignRequest;
import dev.quoin.api.v3electionpb.CampaignResponse;
import dev.quoin.api.v3electionpb.LeaderKey;
import dev.quoin.api.v3electionpb.LeaderRequest;
import dev.quoin.api.v3electionpb.LeaderResponse;
import dev.quoin.api.v3electionpb.ProclaimRequest;
import dev.quoin.api.v3electionpb.ProclaimResponse;
import dev.quoin.api.v3electionpb.ResignRequest;
import dev.quoin.api.v3electionpb.ResignResponse;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.StatusException;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.View;

/**
 * v3electionpb.Election: elections as {@link Places}, where who is at the front leads (v3election/election.go,
 * client/v3/concurrency/election.go). A candidate whose lease has ended is told that it does not lead; etcd lets it win.
 * Errors of the store have the code Unknown here, since etcd passes them on as they are.
 */
final class ElectionService {
    private static final String SERVICE = "/v3electionpb.Election/";

    private final CallersLog log;
    private final MemberCalls calls;
    private final Views views;
    private final Function<Call, Places> placesFor;
    private final Places.Changes changes;
    private final WaitingCalls candidates;
    private final WaitingCalls observers;
    private final SessionLeases leases;

    ElectionService(CallersLog log, MemberCalls calls, Views views, Function<Call, Places> placesFor,
            Places.Changes changes, WaitingCalls candidates, WaitingCalls observers, SessionLeases leases) {
        this.log = log;
        this.calls = calls;
        this.views = views;
        this.placesFor = placesFor;
        this.changes = changes;
        this.candidates = candidates;
        this.observers = observers;
        this.leases = leases;
    }

    List<Method> methods() {
        return List.of(candidates.unary(SERVICE + "Campaign", CampaignRequest.parser(), this::campaign),
                Unary.method(SERVICE + "Proclaim", ProclaimRequest.parser(), this::proclaim),
                Unary.method(SERVICE + "Leader", LeaderRequest.parser(), this::leader),
                observers.stream(SERVICE + "Observe", LeaderRequest.parser(), this::observe),
                Unary.method(SERVICE + "Resign", ResignRequest.parser(), this::resign));
    }

    private CampaignResponse campaign(Call call, CampaignRequest request, Nudge nudge)
            throws StatusException, InterruptedException {
        try {
            long lease = leases.orGrant(call, request.getLease());
            Places places = placesFor.apply(call);
            Bytes value = Places.bytes(request.getValue());
            Places.Place place = places.take(Places.bytes(request.getName()), lease, value);
            boolean leads = false;
            try {
                if (place.found() != null && !place.found().equals(value)) {
                    proclaim(call, place.key(), place.created(), lease, value);
                }
                places.awaitFront(call::cancelled, place, nudge, new StatusException(Errors.NOT_ELECTED));
                leads = !call.cancelled() || place.found() != null;
            } finally {
                if (!leads) {
                    places.leave(place);
                }
            }
            LeaderKey leader = LeaderKey.newBuilder().setName(request.getName()).setKey(Places.string(place.key()))
                    .setRev(place.created()).setLease(lease).build();
            return CampaignResponse.newBuilder().setHeader(calls.header(place.revision())).setLeader(leader).build();
        } catch (StatusException failed) {
            throw Errors.raw(failed);
        }
    }

    private ProclaimResponse proclaim(Call call, ProclaimRequest request)
            throws StatusException, InterruptedException {
        if (!request.hasLeader()) {
            throw new StatusException(Errors.LEADER_MISSING);
        }
        try {
            LeaderKey leader = request.getLeader();
            long lease = leases.orGrant(call, leader.getLease());
            long revision = proclaim(call, Places.bytes(leader.getKey()), leader.getRev(), lease,
                    Places.bytes(request.getValue()));
            return ProclaimResponse.newBuilder().setHeader(calls.header(revision)).build();
        } catch (StatusException failed) {
            throw Errors.raw(failed);
        }
    }

    private long proclaim(Call call, Bytes key, long created, long lease, Bytes value)
            throws StatusException, InterruptedException {
        Outcome.Txned txned = log.txn(call,
                Places.ifCreated(key, created).addSuccess(Places.put(key, lease, value)).build());
        if (!txned.succeeded()) {
            throw new StatusException(Errors.NOT_ELECTED);
        }
        return txned.revision();
    }

    /** Whoever has lost already has nothing to resign. */
    private ResignResponse resign(Call call, ResignRequest request) throws StatusException, InterruptedException {
        if (!request.hasLeader()) {
            throw new StatusException(Errors.LEADER_MISSING);
        }
        Bytes key = Places.bytes(request.getLeader().getKey());
        TxnRequest txn = Places.ifCreated(key, request.getLeader().getRev()).addSuccess(Places.delete(key)).build();
        try {
            return ResignResponse.newBuilder().setHeader(calls.header(log.txn(call, txn).revision())).build();
        } catch (StatusException failed) {
            throw Errors.raw(failed);
        }
    }

    private LeaderResponse leader(Call call, LeaderRequest request) throws StatusException, InterruptedException {
        try {
            calls.linearize();
            View view = views.newest();
            Bytes front = placesFor.apply(call).front(view, Places.queue(Places.bytes(request.getName())));
            if (front == null) {
                throw new StatusException(Errors.NOBODY_ELECTED);
            }
            return response(view, keyValue(front));
        } catch (StatusException failed) {
            throw Errors.raw(failed);
        }
    }

    /** Tells who leads and what it has proclaimed, the newest only if there was more than the client could take. */
    private void observe(Call call, LeaderRequest request, Nudge nudge) throws StatusException, InterruptedException {
        KeyRange queue = Places.queue(Places.bytes(request.getName()));
        Places places = placesFor.apply(call);
        try (Places.Subscription _ = changes.subscribe(List.of(queue), nudge)) {
            calls.linearize();
            long told = 0;
            while (!call.cancelled()) {
                View view = views.newest();
                Bytes front = places.front(view, queue);
                if (front != null && call.writable()) {
                    KeyValue kv = keyValue(front);
                    if (kv.getModRevision() != told) {
                        told = kv.getModRevision();
                        call.send(Bytes.of(response(view, kv).toByteArray()));
                        continue;
                    }
                }
                nudge.await();
            }
        } catch (StatusException failed) {
            throw Errors.raw(failed);
        }
    }

    private LeaderResponse response(View view, KeyValue kv) {
        return LeaderResponse.newBuilder().setHeader(calls.header(view.revision())).setKv(kv).build();
    }

    private static KeyValue keyValue(Bytes stored) {
        try {
            return KeyValue.parseFrom(Places.string(stored));
        } catch (InvalidProtocolBufferException e) {
            throw Invariant.violation("a stored KeyValue is none: %s", e.getMessage());
        }
    }
}
