package dev.quoin.server;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

import com.google.protobuf.MessageLite;

import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.base.Bytes;
import dev.quoin.member.Answer;
import dev.quoin.member.ChangeAnswer;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.ClusterChange;
import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.Membership;
import dev.quoin.member.ReadAnswer;
import dev.quoin.member.Requests;
import dev.quoin.net.StatusException;
import dev.quoin.store.Outcome;

/** The member, for handlers that may wait: on virtual threads, written as recipes. */
final class MemberCalls {
    private final Member member;

    MemberCalls(Member member) {
        this.member = member;
    }

    /** Proposes a request and waits for what became of it. */
    Outcome propose(Requests.Kind kind, MessageLite request) throws StatusException, InterruptedException {
        CompletableFuture<Outcome> future = new CompletableFuture<>();
        member.propose(List.of(member.prepare(kind, Bytes.of(request.toByteArray()), new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                future.complete(outcome);
            }

            @Override
            public void failed(Failure failure) {
                future.completeExceptionally(new StatusException(Errors.of(failure)));
            }
        })));
        Outcome outcome = await(future);
        if (outcome instanceof Outcome.Refused(var reason)) {
            throw new StatusException(Errors.of(reason));
        }
        return outcome;
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

    /** Waits until the member's view shows all that was acknowledged before. */
    void linearize() throws StatusException, InterruptedException {
        await(member::read);
    }

    /** Waits for what the member does for a {@link ReadAnswer}. */
    void await(Consumer<ReadAnswer> work) throws StatusException, InterruptedException {
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

    private static <T> T await(CompletableFuture<T> future) throws StatusException, InterruptedException {
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
