package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

import dev.quoin.member.Member;
import dev.quoin.member.watch.Watches;
import dev.quoin.net.Call;
import dev.quoin.net.Method;

/**
 * Locks and elections, put together. Who waits for a lock and who observes an election are counted apart: neither keeps the
 * other out. All that they do is done in the name of who calls, and asked of {@link Access} like any other.
 */
final class Coordination {
    private Coordination() {}

    static List<Method> methods(Member member, Access access, MemberCalls calls) {
        Views views = new Views(member::view);
        Places.Changes changes = (ranges, nudge) -> {
            Runnable give = nudge::give;
            List<Watches.Waking> wakings = ranges.stream().map(range -> member.watches().wake(range, give)).toList();
            return () -> wakings.forEach(Watches.Waking::close);
        };
        CallersLog log = new CallersLog(access, calls);
        Function<Call, Places> places = call -> new Places(log.of(call), views, changes);
        SessionLeases leases = new SessionLeases(member, access, calls);
        WaitingCalls waiting = new WaitingCalls(ServerLimits.LOCK_CALLS_MAX);
        WaitingCalls observers = new WaitingCalls(ServerLimits.OBSERVERS_MAX);
        List<Method> methods = new ArrayList<>(new LockService(log, calls, places, waiting, leases).methods());
        methods.addAll(new ElectionService(log, calls, views, places, changes, waiting, observers, leases).methods());
        return methods;
    }
}
