package dev.quoin.server;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.ReadAnswer;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;
import dev.quoin.server.metrics.RequestCounts;
import dev.quoin.store.Command;
import dev.quoin.store.Op;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.Refusal;
import dev.quoin.store.RequestCheck;
import dev.quoin.store.View;

/**
 * etcdserverpb.KV. These calls stay on their event loop: a request is decoded and checked where it arrived, gathered over
 * the turn ({@link Turn}) and answered by callback. A list does not: it is read and sent on a virtual thread ({@link
 * Lists}), in parts ({@link ListAnswers}).
 *
 * <p>The order of the checks is etcd's (v3rpc/key.go, v3_server.go): space, form, who asks and whether they may, then the size of
 * the entry. A read is permitted and answered by the same view.
 */
final class KvService {
    private static final String SERVICE = "/etcdserverpb.KV/";

    private final Member member;
    private final Access access;
    private final Answers answers;
    private final Views views;
    private final ListAnswers listAnswers;
    private final RangeStream rangeStream;
    private final Lists lists;
    private final Proposing proposing;
    private final ServerLimits limits;
    private final RequestCounts counts;

    KvService(Member member, Access access, Answers answers, ServerLimits limits, RequestCounts counts) {
        this.member = member;
        this.access = access;
        this.answers = answers;
        this.limits = limits;
        this.counts = counts;
        views = new Views(member::view);
        listAnswers = new ListAnswers(answers, views);
        rangeStream = new RangeStream(listAnswers, views, limits.requestBytesMax());
        proposing = new Proposing(member, access, limits.requestBytesMax());
        lists = new Lists(limits.listsMax(), limits.listKeysMax());
    }

    /** How many lists are read at the moment. */
    int listsAtWork() {
        return lists.atWork();
    }

    List<Method> methods() {
        return List.of(hot("Range", Method.Kind.UNARY, this::range),
                hot("RangeStream", Method.Kind.SERVER_STREAMING, this::rangeStream),
                hot("Put", Method.Kind.UNARY, this::put), hot("DeleteRange", Method.Kind.UNARY, this::deleteRange),
                hot("Txn", Method.Kind.UNARY, this::txn), hot("Compact", Method.Kind.UNARY, this::compact));
    }

    /** What a method does with a request; whatever it throws as {@link Malformed} is the client's fault. */
    private interface Request {
        void arrived(Call call, Bytes message);
    }

    private Method hot(String name, Method.Kind kind, Request request) {
        return Method.hot(SERVICE + name, kind, new Handler() {
            @Override
            public void onMessage(Call call, Bytes message) {
                try {
                    request.arrived(call, message);
                } catch (Malformed malformed) {
                    call.finish(Errors.unreadable(String.valueOf(malformed.getMessage())));
                }
            }
        });
    }

    private void put(Call call, Bytes message) {
        Command.Put put = Requests.put(message);
        if (!refusesForSpace(call, put)) {
            propose(call, Requests.Kind.PUT, message, put, RequestCheck.put(put));
        }
    }

    private void deleteRange(Call call, Bytes message) {
        Command.DeleteRange delete = Requests.deleteRange(message);
        propose(call, Requests.Kind.DELETE_RANGE, message, delete, RequestCheck.delete(delete));
    }

    private void txn(Call call, Bytes message) {
        Command.Txn txn = Requests.txn(message);
        if (refusesForSpace(call, txn)) {
            return;
        }
        Refusal refusal = RequestCheck.txn(txn, limits.txnOpsMax());
        if (refusal != null || !txn.isReadOnly()) {
            if (refusal == null && readsThePast(txn) && member.membership().mayHaveOlder()) {
                call.finish(Errors.PAST_AMONG_OLDER);
                return;
            }
            propose(call, Requests.Kind.TXN, message, txn, refusal);
            return;
        }
        counts.readTransaction(Math.max(txn.success().size(), txn.failure().size()));
        boolean isSmall = txn.compares().stream().allMatch(compare -> compare.range().isSingle())
                && txn.success().stream().allMatch(KvService::isSmall)
                && txn.failure().stream().allMatch(KvService::isSmall);
        read(call, txn.isSerializable(), Access.reading(txn), isSmall
                ? view -> answerSmall(call, view, Query.get(Bytes.EMPTY), newest -> newest.read(txn))
                : view -> lists.run(call, share -> call.send(listAnswers.txn(view, txn, share))));
    }

    private static boolean readsThePast(Command.Txn txn) {
        return txn.success().stream().anyMatch(KvService::isOfThePast)
                || txn.failure().stream().anyMatch(KvService::isOfThePast);
    }

    private static boolean isOfThePast(Op op) {
        return op instanceof Op.Range(Query query) && query.revision() != 0;
    }

    private void range(Call call, Bytes message) {
        Query query = Requests.range(message);
        Refusal refusal = RequestCheck.range(query);
        if (refusal != null) {
            call.finish(Errors.of(refusal));
            return;
        }
        counts.ranged();
        read(call, query.serializable(), Access.reading(query.range()), isSmall(query)
                ? view -> answerSmall(call, view, query, newest -> newest.range(query))
                : view -> lists.run(call, share -> call.send(listAnswers.range(view, query, share))));
    }

    private void rangeStream(Call call, Bytes message) {
        Query query = Requests.range(message);
        Refusal refusal = RequestCheck.range(query);
        if (refusal != null) {
            call.finish(Errors.of(refusal));
        } else if (!query.isDefaultOrder()) {
            call.finish(Errors.STREAM_SORTED);
        } else if (!query.filter().isNone()) {
            call.finish(Errors.STREAM_FILTERED);
        } else {
            counts.ranged();
            read(call, query.serializable(), Access.reading(query.range()),
                    view -> lists.run(call, share -> rangeStream.run(call::send, view, query, share)));
        }
    }

    /** Form is all there is to check: whether the revision can be compacted is decided where it is applied. */
    private void compact(Call call, Bytes message) {
        Command.Compact compact = Requests.compaction(message);
        proposing.propose(call, Requests.Kind.COMPACTION, message, Access.Word.OF_THE_MEMBER, Access.ROOT, outcome -> {
            if (compact.physical() && outcome instanceof Outcome.Compacted) {
                member.awaitCompaction(compact.revision(), new AnswerLater(call, outcome));
            } else {
                answer(call, outcome);
            }
        });
    }

    /** Answers a call with what came of it, once something else is done too. */
    private final class AnswerLater implements ReadAnswer {
        private final Call call;
        private final Outcome outcome;

        AnswerLater(Call call, Outcome outcome) {
            this.call = call;
            this.outcome = outcome;
        }

        @Override
        public void ready() {
            answer(call, outcome);
        }

        @Override
        public void failed(Failure failure) {
            call.finish(Errors.of(failure));
        }
    }

    /** Whether there is no space for a command; then it is answered so, and the alarm is raised first. */
    private boolean refusesForSpace(Call call, Command command) {
        if (!member.isOverQuota(command.cost())) {
            return false;
        }
        member.raiseNoSpace(() -> call.finish(Errors.of(Refusal.NO_SPACE)));
        return true;
    }

    private static boolean isSmall(Op op) {
        return op instanceof Op.Range(Query query) && isSmall(query);
    }

    private static boolean isSmall(Query query) {
        return query.range().isSingle();
    }

    private void propose(Call call, Requests.Kind kind, Bytes message, Command command, @Nullable Refusal refusal) {
        if (refusal != null) {
            call.finish(Errors.of(refusal));
            return;
        }
        proposing.propose(call, kind, message, Access.Word.OF_THE_LOG, Access.doing(command),
                outcome -> answer(call, outcome));
    }

    /** Goes on with {@code ready} once the view is fresh, at once if a possibly stale one will do; and if the caller may. */
    private void read(Call call, boolean serializable, Access.Check check, Consumer<View> ready) {
        if (serializable) {
            call.attach(ReadRound.STALE);
            permit(call, check, ready);
            return;
        }
        call.attach(Turn.of(call.loop()).read(new Turn.Read() {
            @Override
            public void ready() {
                permit(call, check, ready);
            }

            @Override
            public void failed(Failure failure) {
                call.finish(Errors.of(failure));
            }
        }));
    }

    /** Many reads may be let go in one moment: those of a connection that owes too much by then wait, and are decided anew. */
    private void permit(Call call, Access.Check check, Consumer<View> ready) {
        if (call.owesTooMuch()) {
            call.whenTaken(() -> permit(call, check, ready));
            return;
        }
        access.decide(call, Access.Word.OF_THE_MEMBER, check, (view, caller) -> ready.accept(view));
    }

    /** Answers on the event loop; {@code query} says at which revision records are read. */
    private void answerSmall(Call call, View view, Query query, Function<View, Outcome> question) {
        try {
            answer(call, question.apply(view));
        } catch (Damaged | Gone unreadable) {
            call.finish(views.status(unreadable, Views.revision(view, query)));
        }
    }

    private void answer(Call call, Outcome outcome) {
        switch (outcome) {
            case Outcome.Refused(Refusal reason) -> call.finish(Errors.of(reason));
            case Outcome.Unreadable(long revision, RuntimeException reason) ->
                call.finish(views.status(reason, revision));
            default -> call.finish(answers.of(outcome));
        }
    }
}
