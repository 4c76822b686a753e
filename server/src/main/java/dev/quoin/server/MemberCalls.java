package dev.quoin.server;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.member.Answer;
import dev.quoin.member.ChangeAnswer;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.ClusterChange;
import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.Membership;
import dev.quoin.member.Proposal;
import dev.quoin.member.ReadAnswer;
import dev.quoin.member.Requests;
import dev.quoin.net.StatusException;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.Outcome;
import dev.quoin.store.Refusal;
import dev.quoin.store.RequestCheck;

/** The member, for handlers that may wait: on virtual threads, written as recipes. */
final class MemberCalls {
    private final Member member;
    private final int requestBytesMax;

    /** @param requestBytesMax the largest entry that a request may become */
    MemberCalls(Member member, int requestBytesMax) {
        this.member = member;
        this.requestBytesMax = requestBytesMax;
    }

    /**
     * Proposes a request and waits for what became of it.
     *
     * @param caller in whose name
     */
    Outcome propose(Requests.Kind kind, MessageLite request, Caller caller)
            throws StatusException, InterruptedException {
        CompletableFuture<Outcome> future = new CompletableFuture<>();
        Proposal proposal = member.prepare(kind, Bytes.of(request.toByteArray()), caller, new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                future.complete(outcome);
            }

            @Override
            public void failed(Failure failure) {
                future.completeExceptionally(new StatusException(Errors.of(failure)));
            }
        });
        if (proposal.data().length() > requestBytesMax) {
            throw new StatusException(Errors.REQUEST_TOO_LARGE);
        }
        member.propose(List.of(proposal));
        Outcome outcome = await(future);
        if (outcome instanceof Outcome.Refused(var reason)) {
            throw new StatusException(Errors.of(reason));
        }
        return outcome;
    }

    /**
     * Proposes a transaction and waits for what became of it.
     *
     * @throws StatusException also if its form is refused, or there is no space for it
     */
    Outcome.Txned txn(TxnRequest request, Caller caller) throws StatusException, InterruptedException {
        Command.Txn txn = Requests.txn(Bytes.of(request.toByteArray()));
        checkSpace(txn.cost());
        refuse(RequestCheck.txn(txn, Integer.MAX_VALUE));
        return switch (propose(Requests.Kind.TXN, request, caller)) {
            case Outcome.Txned txned -> txned;
            case Outcome.Unreadable lost -> throw new StatusException(Errors.lost(lost.reason()));
            case Outcome other -> throw Invariant.violation("a transaction has the outcome %s", other);
        };
    }

    /** Deletes a key, if it is there. */
    Outcome.Deleted delete(ByteString key, Caller caller) throws StatusException, InterruptedException {
        DeleteRangeRequest request = DeleteRangeRequest.newBuilder().setKey(key).build();
        refuse(RequestCheck.delete(Requests.deleteRange(Bytes.of(request.toByteArray()))));
        if (!(propose(Requests.Kind.DELETE_RANGE, request, caller) instanceof Outcome.Deleted deleted)) {
            throw Invariant.violation("a deletion has another outcome");
        }
        return deleted;
    }

    private static void refuse(@Nullable Refusal refusal) throws StatusException {
        if (refusal != null) {
            throw new StatusException(Errors.of(refusal));
        }
    }

    /** Whether there is space for something of this cost; if not, the alarm is raised first. */
    void checkSpace(long cost) throws StatusException, InterruptedException {
        if (member.isOverQuota(cost)) {
            CompletableFuture<Boolean> raised = new CompletableFuture<>();
            member.raiseNoSpace(() -> raised.complete(true));
            await(raised);
            throw new StatusException(Errors.of(Refusal.NO_SPACE));
        }
    }

    /** What became of a change of members that was decided on. */
    sealed interface Decision {
        record Changed(Membership membership) implements Decision {}

        record Refused(ChangeRefusal why) implements Decision {}
    }

    /** Asks for a change of members and waits for what became of it. */
    Decision change(ClusterChange change) throws StatusException, InterruptedException {
        CompletableFuture<Decision> future = new CompletableFuture<>();
        member.changeMembers(change, new ChangeAnswer() {
            @Override
            public void changed(Membership membership) {
                future.complete(new Decision.Changed(membership));
            }

            @Override
            public void refused(ChangeRefusal why) {
                future.complete(new Decision.Refused(why));
            }

            @Override
            public void failed(Failure failure) {
                future.completeExceptionally(new StatusException(Errors.of(failure)));
            }
        });
        return await(future);
    }

    /** Waits until another member leads. */
    void transferLeadership(long to) throws StatusException, InterruptedException {
        CompletableFuture<Boolean> future = new CompletableFuture<>();
        member.transferLeadership(to, new ReadAnswer() {
            @Override
            public void ready() {
                future.complete(true);
            }

            @Override
            public void failed(Failure failure) {
                future.completeExceptionally(new StatusException(
                        failure == Failure.TIMEOUT ? Errors.TRANSFER_TIMEOUT : Errors.of(failure)));
            }
        });
        await(future);
    }

    /** In whose name the member does what nobody asks for. */
    Caller ownName() {
        return member.ownName();
    }

    /** What is attached to a lease, as this member knows it. Waits for a turn of the apply loop. */
    List<Bytes> leaseKeys(long lease) throws StatusException, InterruptedException {
        CompletableFuture<List<Bytes>> keys = new CompletableFuture<>();
        member.leaseKeys(lease, keys::complete);
        return await(keys);
    }

    /** Waits until the member's view shows all that was acknowledged before. */
    void linearize() throws StatusException, InterruptedException {
        await(member::read);
    }

    /** Waits for what the member does for a {@link ReadAnswer}. */
    void await(Consumer<ReadAnswer> work) throws StatusException, InterruptedException {
        answered(work);
    }

    /** Waits for what is done for a {@link ReadAnswer}. */
    static void answered(Consumer<ReadAnswer> work) throws StatusException, InterruptedException {
        CompletableFuture<Boolean> future = new CompletableFuture<>();
        work.accept(new ReadAnswer() {
            @Override
            public void ready() {
                future.complete(true);
            }

            @Override
            public void failed(Failure failure) {
                future.completeExceptionally(new StatusException(Errors.of(failure)));
            }
        });
        await(future);
    }

    /** Waits for a future of ours: it fails with a status, or not at all. */
    static <T> T await(CompletableFuture<T> future) throws StatusException, InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof StatusException status) {
                throw status;
            }
            throw new IllegalStateException("a future of ours failed otherwise", failed);
        }
    }

    ResponseHeader header(long revision) {
        return ResponseHeader.newBuilder().setClusterId(member.clusterId()).setMemberId(member.memberId())
                .setRevision(revision).setRaftTerm(member.term()).build();
    }
}
