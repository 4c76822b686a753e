package dev.quoin.server;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.quoin.member.Failure;
import dev.quoin.member.ReadAnswer;
import dev.quoin.net.Call;
import dev.quoin.net.LoopTurn;
import dev.quoin.net.Metadata;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.server.auth.Tokens;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Refusal;
import dev.quoin.store.View;

/**
 * Who makes a call, and whether they may: the one place where both are found out, for every way into the server. What a user
 * may do is for {@link AuthView} to say; this says which user it is, and at which moment that is asked.
 *
 * <p><b>Who.</b> The metadata {@code token}, else {@code authorization}, with {@code Bearer } before it or not; a token that is
 * none ends the call, whatever else it has. Without one the common name of the client's certificate counts, if certificates
 * are asked for; not of who comes by the gateway (auth/store.go AuthInfoFromCtx, AuthInfoFromTLS). Else it is nobody.
 *
 * <p><b>When.</b> Of one view of the store both is taken, the decision and what is answered: no change of users comes between.
 * Where the log decides, a refusal counts here only if it still holds when this member knows all that was acknowledged before
 * ({@link Word#OF_THE_LOG}): it spares the log what would be refused in it, and refuses nothing else. In the same way a token
 * is not refused that this member may not have heard of yet.
 *
 * <p>While access is not controlled all of it costs a read of a volatile field. Any thread; a call is let go on where it was
 * decided, or later on its loop.
 */
final class Access {
    /** Whether somebody may do something, at a moment of the store; null, or why not. Asked while access is controlled. */
    @FunctionalInterface
    interface Check {
        @Nullable
        Refusal refusal(View view, Caller caller);
    }

    /** What becomes of a call that may go on. */
    @FunctionalInterface
    interface Permitted {
        /**
         * It may.
         *
         * @param view at which it was decided
         * @param caller in whose name; {@link Caller#NONE} while access is not controlled
         */
        void go(View view, Caller caller);
    }

    /** Whose refusal counts. */
    enum Word {
        /** What this member knows. */
        OF_THE_MEMBER,
        /** What all members agree on. */
        OF_THE_LOG
    }

    private sealed interface Verdict {
        record May(Caller caller) implements Verdict {}

        /** @param isLast whether it is not to be asked again of a fresher view */
        record MayNot(Status why, boolean isLast) implements Verdict {}
    }

    /** Whoever is somebody may. */
    static final Check SOMEBODY = (view, caller) -> caller.equals(Caller.NONE) ? Refusal.USER_EMPTY : null;
    static final Check ROOT = (view, caller) -> view.auth().checkRoot(caller);

    private static final String BEARER = "Bearer ";
    private static final Verdict INVALID_TOKEN = new Verdict.MayNot(Errors.INVALID_TOKEN, true);
    private static final Verdict UNHEARD_TOKEN = new Verdict.MayNot(Errors.INVALID_TOKEN, false);

    private final Supplier<View> views;
    private final Consumer<ReadAnswer> fresh;
    private final Tokens tokens;
    private final boolean byCertificate;
    private final LoopTurn turn;

    /**
     * @param fresh says when the newest view shows all that was acknowledged before
     * @param byCertificate whether the common name of a client's certificate says who it is
     * @param turn told when a call was let go on outside of the turn in which it came
     */
    Access(Supplier<View> views, Consumer<ReadAnswer> fresh, Tokens tokens, boolean byCertificate, LoopTurn turn) {
        this.views = views;
        this.fresh = fresh;
        this.tokens = tokens;
        this.byCertificate = byCertificate;
        this.turn = turn;
    }

    // ---- what may be asked

    /** Whether somebody may be told of these keys. */
    static Check reading(KeyRange range) {
        return answering((view, caller) -> view.auth().checkRead(caller, range));
    }

    /** Whether somebody may have a transaction done that only reads. */
    static Check reading(Command.Txn txn) {
        return answering((view, caller) -> view.auth().check(caller, txn, lease -> List.of()));
    }

    /** What is answered at once is also refused to who says to be of a time that has not come (v3_server.go doSerialize). */
    private static Check answering(Check check) {
        return (view, caller) -> {
            Refusal refusal = check.refusal(view, caller);
            boolean isOfAnotherTime = caller.authRevision() != 0 && caller.authRevision() != view.auth().revision();
            return refusal == null && isOfAnotherTime ? Refusal.AUTH_OLD_REVISION : refusal;
        };
    }

    /** Whether somebody may be told from now on what becomes of these keys. */
    static Check watching(KeyRange range) {
        return (view, caller) -> view.auth().checkRead(caller, range);
    }

    /**
     * Whether somebody may have this done, as far as a view can tell: not what is attached to leases. Under an alarm it may
     * well be refused for another reason first, so then the log is left to say it.
     */
    static Check doing(Command command) {
        return (view, caller) -> view.alarms().isEmpty()
                ? view.auth().check(caller, command, lease -> List.of())
                : null;
    }

    /** Whether this is root's token, as far as this member knows; for what another member passes on. */
    static boolean isRoots(@Nullable String token, View view, Tokens tokens) {
        AuthView auth = view.auth();
        if (!auth.enabled()) {
            return true;
        }
        return token != null && tokens.find(bare(token), auth) instanceof Tokens.Found.Of(Caller caller)
                && auth.checkRoot(caller) == null;
    }

    // ---- deciding

    /** Lets the call go on, or ends it. */
    void decide(Call call, Word word, Check check, Permitted permitted) {
        decide(call, word, check, permitted, call::finish);
    }

    /** Lets the call go on, or tells why not; also if that cannot be found out. */
    void decide(Call call, Word word, Check check, Permitted permitted, Consumer<Status> refused) {
        View view = views.get();
        if (!view.auth().enabled()) {
            permitted.go(view, Caller.NONE);
            return;
        }
        switch (verdict(call, view, word, check)) {
            case Verdict.May(Caller caller) -> permitted.go(view, caller);
            case Verdict.MayNot(Status why, boolean isLast) -> {
                if (isLast) {
                    refused.accept(why);
                } else {
                    decideFresh(call, check, permitted, refused);
                }
            }
        }
    }

    private void decideFresh(Call call, Check check, Permitted permitted, Consumer<Status> refused) {
        fresh.accept(new ReadAnswer() {
            @Override
            public void ready() {
                call.loop().execute(() -> {
                    View view = views.get();
                    switch (verdictNow(call, view, check)) {
                        case Verdict.May(Caller caller) -> permitted.go(view, caller);
                        case Verdict.MayNot(Status why, boolean _) -> refused.accept(why);
                    }
                    turn.turnEnded(call.loop());
                });
            }

            @Override
            public void failed(Failure failure) {
                call.loop().execute(() -> refused.accept(Errors.of(failure)));
            }
        });
    }

    /**
     * The same for handlers that may wait.
     *
     * @return in whose name
     * @throws StatusException if the call may not
     */
    Caller permit(Call call, Word word, Check check) throws StatusException, InterruptedException {
        View view = views.get();
        if (!view.auth().enabled()) {
            return Caller.NONE;
        }
        Verdict verdict = verdict(call, view, word, check);
        if (verdict instanceof Verdict.MayNot(Status _, boolean isLast) && !isLast) {
            MemberCalls.answered(fresh);
            verdict = verdictNow(call, views.get(), check);
        }
        return switch (verdict) {
            case Verdict.May(Caller caller) -> caller;
            case Verdict.MayNot(Status why, boolean _) -> throw new StatusException(why);
        };
    }

    private Verdict verdictNow(Call call, View view, Check check) {
        return view.auth().enabled()
                ? verdict(call, view, Word.OF_THE_MEMBER, check)
                : new Verdict.May(Caller.NONE);
    }

    private Verdict verdict(Call call, View view, Word word, Check check) {
        String token = token(call.headers());
        if (token == null) {
            return verdict(certified(call, view.auth()), view, word, check);
        }
        return switch (tokens.find(token, view.auth())) {
            case Tokens.Found.Of(Caller caller) -> verdict(caller, view, word, check);
            case Tokens.Found.NotYet() -> UNHEARD_TOKEN;
            case Tokens.Found.Nobodys() -> INVALID_TOKEN;
        };
    }

    private static Verdict verdict(Caller caller, View view, Word word, Check check) {
        Refusal refusal = check.refusal(view, caller);
        return refusal == null
                ? new Verdict.May(caller)
                : new Verdict.MayNot(Errors.of(refusal), word == Word.OF_THE_MEMBER);
    }

    private Caller certified(Call call, AuthView auth) {
        String name = call.peer().commonName();
        if (!byCertificate || name == null || name.isEmpty() || call.headers().text("grpcgateway-accept") != null) {
            return Caller.NONE;
        }
        return new Caller(name, auth.revision());
    }

    /** The first of that name; null if there is none. */
    private static @Nullable String token(Metadata headers) {
        String token = headers.text("token");
        if (token == null) {
            token = headers.text("authorization");
        }
        return token == null ? null : bare(token);
    }

    private static String bare(String token) {
        return token.startsWith(BEARER) ? token.substring(BEARER.length()) : token;
    }
}
