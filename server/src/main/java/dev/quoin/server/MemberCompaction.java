package dev.quoin.server;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.CompactionRequest;
import dev.quoin.member.Member;
import dev.quoin.member.Requests;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.server.compaction.AutoCompactor;
import dev.quoin.store.Refusal;

/** The member, as it compacts by itself. */
final class MemberCompaction implements AutoCompactor.Host {
    private static final Status COMPACTED = Errors.of(Refusal.COMPACTED);

    private final Member member;
    private final MemberCalls calls;

    MemberCompaction(Member member, MemberCalls calls) {
        this.member = member;
        this.calls = calls;
    }

    @Override
    public long revision() {
        return member.view().revision();
    }

    @Override
    public boolean leads() {
        return member.leader() == member.memberId();
    }

    @Override
    public @Nullable String compact(long revision) throws InterruptedException {
        try {
            calls.propose(Requests.Kind.COMPACTION, CompactionRequest.newBuilder().setRevision(revision).build(),
                    calls.ownName());
            return null;
        } catch (StatusException failed) {
            return failed.status().equals(COMPACTED) ? null : failed.status().message();
        }
    }
}
