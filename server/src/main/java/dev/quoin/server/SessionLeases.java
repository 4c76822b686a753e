package dev.quoin.server;

import dev.quoin.api.etcdserverpb.LeaseGrantRequest;
import dev.quoin.member.Member;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.StatusException;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;

/** The leases of those who ask for a lock, or for votes, without one of their own. Any thread that may wait. */
final class SessionLeases {
    /** As etcd: concurrency/session.go. */
    private static final int TTL_SECONDS = 60;

    private final Member member;
    private final Access access;
    private final MemberCalls calls;

    SessionLeases(Member member, Access access, MemberCalls calls) {
        this.member = member;
        this.access = access;
        this.calls = calls;
    }

    /** The lease that was given, or if there is none a new one of a minute, which nobody renews. */
    long orGrant(Call call, long lease) throws StatusException, InterruptedException {
        if (lease != 0) {
            return lease;
        }
        calls.checkSpace(Command.LEASE_BYTES);
        Caller caller = access.permit(call, Access.Word.OF_THE_MEMBER, Access.SOMEBODY);
        long id = member.nextLeaseId();
        calls.propose(Requests.Kind.LEASE_GRANT,
                LeaseGrantRequest.newBuilder().setID(id).setTTL(TTL_SECONDS).build(), caller);
        return id;
    }
}
