package dev.quoin.server;

import java.util.List;
import java.util.function.Function;

import dev.quoin.api.v3lockpb.LockRequest;
import dev.quoin.api.v3lockpb.LockResponse;
import dev.quoin.api.v3lockpb.UnlockRequest;
import dev.quoin.api.v3lockpb.UnlockResponse;
import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.StatusException;
import dev.quoin.store.Outcome;

/**
 * v3lockpb.Lock: locks as {@link Places} (v3lock/lock.go, client/v3/concurrency/mutex.go). Whoever gives up leaves its queue;
 * a waiter whose lease has ended is told so at once, and never granted. Errors of the store have the code Unknown here, since
 * etcd passes them on as they are.
 */
final class LockService {
    private static final String SERVICE = "/v3lockpb.Lock/";

    private final CallersLog log;
    private final MemberCalls calls;
    private final Function<Call, Places> placesFor;
    private final WaitingCalls waiting;
    private final SessionLeases leases;

    LockService(CallersLog log, MemberCalls calls, Function<Call, Places> placesFor, WaitingCalls waiting,
            SessionLeases leases) {
        this.log = log;
        this.calls = calls;
        this.placesFor = placesFor;
        this.waiting = waiting;
        this.leases = leases;
    }

    List<Method> methods() {
        return List.of(waiting.unary(SERVICE + "Lock", LockRequest.parser(), this::lock),
                Unary.method(SERVICE + "Unlock", UnlockRequest.parser(), this::unlock));
    }

    private LockResponse lock(Call call, LockRequest request, Nudge nudge)
            throws StatusException, InterruptedException {
        try {
            long lease = leases.orGrant(call, request.getLease());
            Places places = placesFor.apply(call);
            Places.Place place = places.take(Places.bytes(request.getName()), lease, Bytes.EMPTY);
            boolean granted = false;
            try {
                long revision = places.awaitFront(call::cancelled, place, nudge,
                        new StatusException(Errors.SESSION_EXPIRED));
                // Who has held the lock before does not lose it by asking again and going away.
                granted = !call.cancelled() || place.found() != null;
                return LockResponse.newBuilder().setHeader(calls.header(revision)).setKey(Places.string(place.key()))
                        .build();
            } finally {
                if (!granted) {
                    places.leave(place);
                }
            }
        } catch (StatusException failed) {
            throw Errors.raw(failed);
        }
    }

    private UnlockResponse unlock(Call call, UnlockRequest request) throws StatusException, InterruptedException {
        try {
            Outcome.Deleted deleted = log.delete(call, request.getKey());
            return UnlockResponse.newBuilder().setHeader(calls.header(deleted.revision())).build();
        } catch (StatusException failed) {
            throw Errors.raw(failed);
        }
    }
}
