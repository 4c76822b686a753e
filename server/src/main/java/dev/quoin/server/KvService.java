package dev.quoin.server;

import java.util.List;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Damaged;
import dev.quoin.member.Answer;
import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.Proposal;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;
import dev.quoin.store.Command;
import dev.quoin.store.Op;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.Refusal;
import dev.quoin.store.RequestCheck;
import dev.quoin.store.View;

/**
 * etcdserverpb.KV. These calls stay on their event loop: a request is decoded and checked where it arrived, gathered over
 * the turn ({@link Turn}) and answered by callback. A list does not: it is read on a virtual thread ({@link Lists}).
 *
 * <p>The order of the checks is etcd's (v3rpc/key.go, v3_server.go): form, then the size of the entry.
 */
final class KvService {
    private static final String SERVICE = "/etcdserverpb.KV/";

    private final Member member;
    private final Answers answers;
    private final Lists lists;
    private final ServerLimits limits;

    KvService(Member member, Answers answers, Lists lists, ServerLimits limits) {
        this.member = member;
        this.answers = answers;
        this.lists = lists;
        this.limits = limits;
    }

    List<Method> methods() {
        return List.of(hot("Range", this::range), hot("Put", this::put), hot("DeleteRange", this::deleteRange),
                hot("Txn", this::txn));
    }

    /** What a method does with a request; whatever it throws as {@link Malformed} is the client's fault. */
    private interface Request {
        void arrived(Call call, Bytes message);
    }

    private Method hot(String name, Request request) {
        return Method.hot(SERVICE + name, Method.Kind.UNARY, new Handler() {
            @Override
            public void onMessage(Call call, Bytes message) {
                if (member.leader() == 0 && "true".equals(call.headers().text("hasleader"))) {
                    call.finish(Errors.NO_LEADER);
                    return;
                }
                try {
                    request.arrived(call, message);
                } catch (Malformed malformed) {
                    call.finish(Errors.unreadable(String.valueOf(malformed.getMessage())));
                }
            }
        });
    }

    private void put(Call call, Bytes message) {
        Refusal refusal = RequestCheck.put(Requests.put(message));
        propose(call, Requests.Kind.PUT, message, refusal);
    }

    private void deleteRange(Call call, Bytes message) {
        Refusal refusal = RequestCheck.delete(Requests.deleteRange(message));
        propose(call, Requests.Kind.DELETE_RANGE, message, refusal);
    }

    private void txn(Call call, Bytes message) {
        Command.Txn txn = Requests.txn(message);
        Refusal refusal = RequestCheck.txn(txn, limits.txnOpsMax());
        if (refusal == null && txn.isReadOnly()) {
            boolean isSmall = txn.compares().stream().allMatch(compare -> compare.range().isSingle())
                    && txn.success().stream().allMatch(KvService::isSmall)
                    && txn.failure().stream().allMatch(KvService::isSmall);
            read(call, txn.isSerializable(), isSmall, view -> view.read(txn));
        } else {
            propose(call, Requests.Kind.TXN, message, refusal);
        }
    }

    private void range(Call call, Bytes message) {
        Query query = Requests.range(message);
        Refusal refusal = RequestCheck.range(query);
        if (refusal != null) {
            call.finish(Errors.of(refusal));
            return;
        }
        read(call, query.serializable(), isSmall(query), view -> view.range(query));
    }

    private static boolean isSmall(Op op) {
        return op instanceof Op.Range(Query query) && isSmall(query);
    }

    private static boolean isSmall(Query query) {
        return query.range().isSingle();
    }

    private void propose(Call call, Requests.Kind kind, Bytes message, @Nullable Refusal refusal) {
        if (refusal != null) {
            call.finish(Errors.of(refusal));
            return;
        }
        Proposal proposal = member.prepare(kind, message, new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                answer(call, outcome);
            }

            @Override
            public void failed(Failure failure) {
                call.finish(Errors.of(failure));
            }
        });
        if (proposal.data().length() > limits.requestBytesMax()) {
            call.finish(Errors.REQUEST_TOO_LARGE);
            return;
        }
        Turn.of(call.loop()).propose(proposal);
    }

    private void read(Call call, boolean serializable, boolean isSmall, Function<View, Outcome> question) {
        Runnable ask = () -> {
            try {
                answer(call, question.apply(member.view()));
            } catch (Damaged damaged) {
                call.finish(Errors.of(damaged));
            }
        };
        Runnable ready = isSmall ? ask : () -> lists.run(call, ask);
        if (serializable) {
            ready.run();
            return;
        }
        Turn.of(call.loop()).read(new Turn.Read() {
            @Override
            public void ready() {
                ready.run();
            }

            @Override
            public void failed(Failure failure) {
                call.finish(Errors.of(failure));
            }
        });
    }

    private void answer(Call call, Outcome outcome) {
        if (outcome instanceof Outcome.Refused(Refusal reason)) {
            call.finish(Errors.of(reason));
        } else {
            call.finish(answers.of(outcome));
        }
    }
}
