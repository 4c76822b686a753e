package dev.quoin.member;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.base.Invariant;
import dev.quoin.store.Lease;

/**
 * The owner of the time that leases have. Which leases there are the log decides, and the apply loop tells; until when each
 * lasts is known to the leader alone, the primary lessor, and is kept nowhere: a new leader gives all of them their time
 * again, and an election timeout on top (lease/lessor.go).
 *
 * <p><b>Never early.</b> A lease is revoked through the log, by an entry that only the leader of the term may append in which
 * its time was found to be over. What other leaders may have promised before was kept, since a member becomes primary only
 * when the empty entry that begins its term is applied. What one may have promised later cannot be: a renewal is
 * acknowledged only if a quorum has followed this leader at most half an election timeout ago ({@link Primacy}), so that
 * whoever leads next is promoted after that moment, and adds a whole one. From the moment at which the time of a lease is
 * found to be over nothing renews it any more; who tries waits for its end.
 *
 * <p><b>Never in a hurry.</b> After the process has stood still, renewals that wait in its sockets come first. Many leases
 * are revoked in one hand-over, each by an entry of its own, but only so many at a time.
 *
 * <p>Differences from etcd, all on the side of who holds a lease: freshness is always asked of a quorum, not only after
 * ticks were missed; a lease is renewable until it has been found to be over, not until its time is; a renewal takes a
 * checkpoint back whether or not this member makes any; expiries after a promotion are not spread, since a thousand
 * revocations cost little more than one.
 */
public final class Lessor implements Actor {
    /** What others send. */
    sealed interface Message {
        /** From the apply loop, in the order of the log, before anybody is told of it. */
        record Granted(long id, long ttlSeconds) implements Message {}

        record Revoked(long id) implements Message {}

        record Checkpointed(long id, long remainingSeconds) implements Message {}

        /** A state was installed, with these leases and no other. */
        record Installed(List<Lease> leases) implements Message {}

        /** The empty entry that begins a term is applied. */
        record TermBegun(long term) implements Message {}

        /** From the raft loop: this member leads in a term, 0 if it does not lead. */
        record Leads(long term) implements Message {}

        /** A quorum has followed this member since it was asked; or that could not be found out. */
        record Confirmed(long promotion, long askedNanos, boolean isSo) implements Message {}

        record Asked(List<? extends LeaseQuestion> questions) implements Message {}

        /** All is applied that was agreed upon when this was asked; or that came to nothing. */
        record LookedUp(LookUp lookUp, @Nullable Failure failure) implements Message {}

        record KeysFound(LeaseQuestion.TimeToLive question, List<Bytes> keys) implements Message {}

        /** What was proposed under a promotion has no effect, or nobody knows of it. */
        record NotRevoked(long promotion, long id) implements Message {}

        /** The first so many checkpoints of a lease have been taken back for a renewal, if {@code isDone}. */
        record Cleared(long promotion, LeaseQuestion.Renew question, int written, boolean isDone) implements Message {}

        /** Whether what leases have left is to be written down from now on. */
        record Checkpointing(boolean isOn) implements Message {}

        /** What became of an entry that does so. */
        record CheckpointOver(long promotion) implements Message {}

        record ListAll(Consumer<LeaseList> asker) implements Message {}
    }

    /** An entry that is to be proposed. */
    record Request(Requests.Kind kind, Bytes message, Answer answer) {}

    /** What it needs of others. Each is called on this owner's thread, must not block and must not throw. */
    interface Listener {
        /** The last entry of which this lessor has been told what it does to leases. */
        long appliedIndex();

        /** The last entry that is agreed upon, as far as anybody knows to whom this member has said anything. */
        long committedIndex();

        /** Says whether a quorum has followed this member as the leader of its term after this call. */
        void confirm(ReadAnswer answer);

        /** Proposes these, if this member still leads in this term; else each is answered so. */
        void propose(long term, List<Request> requests);

        /** Says when all is applied that was agreed upon before this call, and all of it that is about leases told. */
        void whenUpToDate(ReadAnswer answer);

        /** Tells what is attached to a lease, in key order; nothing if there is no such lease. */
        void keys(long lease, Consumer<List<Bytes>> asker);
    }

    /** A question on its way, and for how long it may be. */
    private record Waiting(LeaseQuestion question, long deadlineNanos, boolean isLookedUp,
            @Nullable List<Bytes> keys) {}

    /** Questions about leases that may still have to be applied. */
    private static final class LookUp {
        private final List<Waiting> waiting;
        private final long deadlineNanos;
        private boolean isOver;

        LookUp(List<Waiting> waiting, long deadlineNanos) {
            this.waiting = waiting;
            this.deadlineNanos = deadlineNanos;
        }
    }

    private static final long NOT_BEFORE_A_MESSAGE = Long.MAX_VALUE;
    private static final long SECOND_NANOS = 1_000_000_000L;

    private final Mailbox<Message> mailbox = new Mailbox<>();
    private final Listener listener;
    private final MemberMetrics metrics;
    private final Clock clock;
    private final LessorLimits limits;
    private final long startNanos;
    private final long tickNanos;
    private final long questionNanos;
    private final Primacy primacy;

    private final NavigableMap<Long, HeldLease> leases = new TreeMap<>();
    private ExpiryQueue queue = new ExpiryQueue();
    /** Leases up to this one are in the queue; the others are put there step by step. Null if all are. */
    private @Nullable Long promotedTo;
    private int revocationsUnderWay;

    private boolean isCheckpointing;
    /** Of these the next is to be written down; null if it is not time yet. */
    private @Nullable Long checkpointFrom;
    private long nextCheckpointNanos;
    private boolean isCheckpointUnderWay;

    /** Questions that wait for this member to be the primary, and sure of it. */
    private List<Waiting> waiting = new ArrayList<>();
    /** Whether nobody who asked before this turn can know more of leases than this lessor has been told. */
    private boolean isToldAll;
    private final Deque<LookUp> lookUps = new ArrayDeque<>();
    /** Renewals that wait for the end of their lease. */
    private final Map<Long, List<LeaseQuestion.Renew>> late = new LinkedHashMap<>();
    private final AtomicInteger questionsUnderWay = new AtomicInteger();
    private volatile long toldIndex;
    private volatile boolean stopped;

    Lessor(Collection<Lease> granted, Clock clock, MemberLimits member, MemberMetrics metrics, Listener listener) {
        this.listener = listener;
        this.metrics = metrics;
        this.clock = clock;
        limits = member.lessor();
        startNanos = clock.nanos();
        tickNanos = member.tickNanos();
        questionNanos = member.requestTimeoutNanos();
        primacy = new Primacy(tickNanos, member.electionTicks());
        take(granted);
    }

    private void take(Collection<Lease> granted) {
        leases.clear();
        granted.forEach(lease -> leases.put(lease.id(), new HeldLease(lease.id(), lease.ttl(), lease.remainingTtl())));
    }

    private long now() {
        return clock.nanos() - startNanos;
    }

    // ---- for everybody: any thread

    /** Asks any number of questions at once; each is answered, at once if too many wait already. */
    public void ask(List<? extends LeaseQuestion> questions) {
        if (stopped) {
            questions.forEach(question -> question.asker().told(new LeaseReply.Failed(Failure.STOPPED)));
        } else if (questionsUnderWay.addAndGet(questions.size()) > limits.questionsMax()) {
            questions.forEach(question -> reply(question, new LeaseReply.Failed(Failure.TOO_MANY_REQUESTS)));
        } else {
            mailbox.put(new Message.Asked(questions));
        }
    }

    /**
     * Whether this member, while it leads, writes down once in a while what leases have left. etcd's do only if they are
     * told to (LeaseCheckpoint).
     */
    public void checkpoint(boolean isOn) {
        mailbox.put(new Message.Checkpointing(isOn));
    }

    /** Tells all leases that this member knows of, on a thread of the member. */
    public void list(Consumer<LeaseList> asker) {
        if (stopped) {
            asker.accept(LeaseList.NONE);
        } else {
            mailbox.put(new Message.ListAll(asker));
        }
    }

    private void reply(LeaseQuestion question, LeaseReply reply) {
        questionsUnderWay.decrementAndGet();
        question.asker().told(reply);
    }

    // ---- turns

    @Override
    public Mailbox<Message> mailbox() {
        return mailbox;
    }

    /** Up to this entry it is known here what they do to leases, and whatever was proposed before that was known has been handed over. */
    long toldIndex() {
        return toldIndex;
    }

    @Override
    public long turn() {
        // What is applied is in the mailbox by now; what those know whose questions are there is committed by then. Others may
        // have applied it already, and told their clients, while this member has not.
        long applied = listener.appliedIndex();
        primacy.turn(now());
        mailbox.take().forEach(this::take);
        isToldAll = applied >= listener.committedIndex();
        endLookUps();
        long wait = work();
        toldIndex = applied;
        return wait;
    }

    private long work() {
        if (!primacy.isPrimary()) {
            return waiting.isEmpty() && lookUps.isEmpty() ? NOT_BEFORE_A_MESSAGE : waitingForOffice();
        }
        answer();
        boolean isEnqueued = enqueuePromoted();
        boolean isRevoked = revokeExpired();
        long wait = checkpoint() && isRevoked && isEnqueued ? untilNext() : 0;
        primacy.nextTurn(now(), wait);
        return wait;
    }

    private void take(Message message) {
        switch (message) {
            case Message.Granted(long id, long ttlSeconds) -> granted(id, ttlSeconds);
            case Message.Revoked(long id) -> revoked(id);
            case Message.Checkpointed(long id, long remainingSeconds) -> {
                HeldLease lease = leases.get(id);
                if (lease != null) {
                    keepExpiry(lease);
                    lease.remainingSeconds = remainingSeconds;
                }
            }
            case Message.Installed(List<Lease> all) -> {
                Invariant.check(!primacy.isPrimary(), "a state is installed on the primary lessor");
                take(all);
            }
            case Message.TermBegun(long term) -> {
                if (primacy.begun(term)) {
                    promote();
                }
            }
            case Message.Leads(long term) -> {
                demote();
                primacy.leads(term);
            }
            case Message.Confirmed(long promotion, long askedNanos, boolean isSo) ->
                primacy.confirmed(promotion, askedNanos, isSo);
            case Message.Asked(List<? extends LeaseQuestion> questions) -> asked(questions);
            case Message.LookedUp(LookUp lookUp, Failure failure) -> lookedUp(lookUp, failure);
            case Message.KeysFound(LeaseQuestion.TimeToLive question, List<Bytes> keys) ->
                wait(new Waiting(question, now() + questionNanos, true, keys));
            case Message.NotRevoked(long promotion, long id) -> notRevoked(promotion, id);
            case Message.Cleared(long promotion, LeaseQuestion.Renew question, int written, boolean isDone) ->
                cleared(promotion, question, written, isDone);
            case Message.Checkpointing(boolean isOn) -> isCheckpointing = isOn;
            case Message.CheckpointOver(long promotion) -> isCheckpointUnderWay &= promotion != primacy.promotion();
            case Message.ListAll(Consumer<LeaseList> asker) -> asker.accept(listed());
        }
    }

    private long waitingForOffice() {
        expireWaiting();
        return tickNanos;
    }

    private long untilNext() {
        if (!waiting.isEmpty() || !lookUps.isEmpty()) {
            expireWaiting();
            return tickNanos;
        }
        HeldLease first = queue.first();
        if (first == null) {
            return NOT_BEFORE_A_MESSAGE;
        }
        // Never for long: how late a turn comes tells whether the process has stood still. What is due already waits for a
        // message, or for a calm moment.
        long untilDue = first.dueNanos - now();
        return untilDue <= 0 ? tickNanos : Math.min(untilDue, tickNanos);
    }

    private void expireWaiting() {
        long now = now();
        waiting.removeIf(one -> {
            boolean isLate = one.deadlineNanos - now < 0;
            if (isLate) {
                reply(one.question, new LeaseReply.Failed(Failure.TIMEOUT));
            }
            return isLate;
        });
    }

    // ---- which leases there are

    private void granted(long id, long ttlSeconds) {
        metrics.leaseGranted(ttlSeconds);
        HeldLease lease = new HeldLease(id, ttlSeconds, 0);
        leases.put(id, lease);
        if (primacy.isPrimary()) {
            renew(lease);
            queue.put(lease, lease.expiryNanos);
        }
    }

    private void revoked(long id) {
        HeldLease lease = leases.remove(id);
        if (lease == null) {
            return;
        }
        metrics.leaseRevoked();
        queue.remove(lease);
        if (lease.isAsked) {
            revocationsUnderWay--;
        }
        List<LeaseQuestion.Renew> ended = late.remove(id);
        if (ended != null) {
            ended.forEach(question -> reply(question, new LeaseReply.Unknown()));
        }
    }

    private LeaseList listed() {
        long[] ids = new long[leases.size()];
        long[] expiries = new long[ids.length];
        int next = 0;
        for (HeldLease lease : leases.values()) {
            ids[next] = lease.id;
            expiries[next++] = primacy.isPrimary() ? expiry(lease) : Long.MAX_VALUE;
        }
        return new LeaseList(ids, expiries);
    }

    // ---- until when each lasts

    /** The moment after which its time is over. One that was never renewed under this promotion has all of it, and more. */
    private long expiry(HeldLease lease) {
        return lease.promotion == primacy.promotion()
                ? lease.expiryNanos
                : later(primacy.promotedNanos() + primacy.extensionNanos(), lease.secondsLeft());
    }

    /** Whatever is found out about it later, its time under this promotion stays. */
    private void keepExpiry(HeldLease lease) {
        if (primacy.isPrimary()) {
            lease.expiryNanos = expiry(lease);
            lease.promotion = primacy.promotion();
        }
    }

    private void renew(HeldLease lease) {
        lease.promotion = primacy.promotion();
        lease.expiryNanos = later(now(), lease.ttlSeconds);
    }

    private static long later(long nanos, long seconds) {
        return seconds < (Long.MAX_VALUE - nanos) / SECOND_NANOS ? nanos + seconds * SECOND_NANOS : Long.MAX_VALUE;
    }

    /** From now on this member looks after leases. What that means for each is found out when it matters. */
    private void promote() {
        primacy.promote(now());
        queue = new ExpiryQueue();
        promotedTo = Long.MIN_VALUE;
        revocationsUnderWay = 0;
        checkpointFrom = null;
        nextCheckpointNanos = primacy.promotedNanos() + limits.checkpointNanos();
        isCheckpointUnderWay = false;
    }

    /** Another looks after them now, or nobody does: what waits here is to be asked elsewhere. */
    private void demote() {
        if (primacy.demote()) {
            queue = new ExpiryQueue();
            promotedTo = null;
            revocationsUnderWay = 0;
            leases.values().forEach(lease -> {
                lease.isDecided = false;
                lease.isAsked = false;
                lease.settled = lease.written;
            });
        }
        List<Waiting> sentAway = waiting;
        waiting = new ArrayList<>();
        sentAway.forEach(one -> reply(one.question, new LeaseReply.NotPrimary()));
        late.values().forEach(
                renewals -> renewals.forEach(question -> reply(question, new LeaseReply.NotPrimary())));
        late.clear();
    }

    /** Puts some more leases into the queue after a promotion; says whether all are. */
    private boolean enqueuePromoted() {
        Long to = promotedTo;
        if (to == null) {
            return true;
        }
        int left = limits.sliceLeases();
        for (HeldLease lease : leases.tailMap(to, true).values()) {
            if (left-- == 0) {
                promotedTo = lease.id;
                return false;
            }
            if (!queue.contains(lease)) {
                queue.put(lease, expiry(lease));
            }
        }
        promotedTo = null;
        return true;
    }

    // ---- the end of a lease

    /** Has leases revoked whose time is over, as many as may be; says whether that is all there is to do for now. */
    private boolean revokeExpired() {
        List<Request> requests = new ArrayList<>();
        long now = now();
        int left = limits.sliceLeases();
        HeldLease first = queue.first();
        while (first != null && first.dueNanos <= now && left-- > 0
                && revocationsUnderWay < limits.revocationsMax()) {
            if (!first.isDecided && expiry(first) > now) {
                queue.put(first, expiry(first));
            } else if (mayExpire(now)) {
                requests.add(decide(first));
            } else {
                break;
            }
            first = queue.first();
        }
        if (!requests.isEmpty()) {
            listener.propose(primacy.term(), requests);
        }
        return left > 0;
    }

    private boolean mayExpire(long now) {
        if (!primacy.isFresh(now)) {
            confirm(now);
            return false;
        }
        return primacy.isCalm(now);
    }

    private Request decide(HeldLease lease) {
        queue.remove(lease);
        if (!lease.isDecided) {
            metrics.leaseExpired();
        }
        lease.isDecided = true;
        lease.isAsked = true;
        revocationsUnderWay++;
        long promotion = primacy.promotion();
        return new Request(Requests.Kind.LEASE_REVOKE, Requests.leaseRevoke(lease.id), new LeaseAnswer(
                () -> {}, () -> mailbox.put(new Message.NotRevoked(promotion, lease.id))));
    }

    private void notRevoked(long promotion, long id) {
        HeldLease lease = leases.get(id);
        if (lease != null && primacy.isPrimary() && promotion == primacy.promotion() && lease.isAsked) {
            lease.isAsked = false;
            revocationsUnderWay--;
            queue.put(lease, now() + limits.retryNanos());
        }
    }

    // ---- checkpoints

    /**
     * Writes down what leases have left, some of them in each turn, once in a while: so that they do not begin anew under the
     * next leader. Says whether there is nothing more to do now.
     */
    private boolean checkpoint() {
        long now = now();
        if (!isCheckpointing || isCheckpointUnderWay || (checkpointFrom == null && now < nextCheckpointNanos)) {
            return true;
        }
        if (checkpointFrom == null) {
            checkpointFrom = Long.MIN_VALUE;
            nextCheckpointNanos = now + limits.checkpointNanos();
        }
        List<Lease> written = new ArrayList<>();
        int left = limits.sliceLeases();
        Long next = null;
        for (HeldLease lease : leases.tailMap(checkpointFrom, true).values()) {
            if (left-- == 0 || written.size() == limits.checkpointLeases()) {
                next = lease.id;
                break;
            }
            long secondsLeft = Math.ceilDiv(expiry(lease) - now, SECOND_NANOS);
            if (isWorthWriting(lease, secondsLeft)) {
                lease.written++;
                written.add(new Lease(lease.id, lease.ttlSeconds, secondsLeft));
            }
        }
        checkpointFrom = next;
        if (!written.isEmpty()) {
            isCheckpointUnderWay = true;
            long promotion = primacy.promotion();
            Runnable over = () -> mailbox.put(new Message.CheckpointOver(promotion));
            listener.propose(primacy.term(), List.of(new Request(Requests.Kind.LEASE_CHECKPOINT,
                    Requests.leaseCheckpoint(written), new LeaseAnswer(over, over))));
        }
        return next == null || isCheckpointUnderWay;
    }

    /** One that lasts, and that has not been renewed for a while: whoever renews all the time need not be written down. */
    private boolean isWorthWriting(HeldLease lease, long secondsLeft) {
        long known = lease.secondsLeft();
        return !lease.isDecided && secondsLeft > 0 && later(0, known) > limits.checkpointNanos()
                && later(0, known - secondsLeft) >= limits.checkpointNanos() / 2;
    }

    // ---- questions

    private void asked(List<? extends LeaseQuestion> questions) {
        long deadline = now() + questionNanos;
        questions.forEach(question -> wait(new Waiting(question, deadline, false, null)));
    }

    private void wait(Waiting one) {
        if (primacy.term() == 0) {
            reply(one.question, new LeaseReply.NotPrimary());
        } else {
            waiting.add(one);
        }
    }

    private void confirm(long now) {
        long promotion = primacy.promotion();
        if (primacy.ask()) {
            listener.confirm(new ReadAnswer() {
                @Override
                public void ready() {
                    mailbox.put(new Message.Confirmed(promotion, now, true));
                }

                @Override
                public void failed(Failure failure) {
                    mailbox.put(new Message.Confirmed(promotion, now, false));
                }
            });
        }
    }

    /** Answers what waits, if this member is sure that nobody else is the primary. */
    private void answer() {
        if (waiting.isEmpty()) {
            return;
        }
        long now = now();
        if (primacy.isGettingStale(now)) {
            confirm(now);
        }
        if (!primacy.isFresh(now)) {
            return;
        }
        List<Waiting> questions = waiting;
        waiting = new ArrayList<>();
        List<Waiting> toLookUp = new ArrayList<>();
        for (Waiting one : questions) {
            switch (one.question) {
                case LeaseQuestion.Renew renew -> renew(one, renew, toLookUp);
                case LeaseQuestion.TimeToLive timeToLive -> tell(one, timeToLive, toLookUp);
            }
        }
        lookUp(toLookUp);
    }

    private void renew(Waiting one, LeaseQuestion.Renew question, List<Waiting> toLookUp) {
        HeldLease lease = leases.get(question.lease());
        if (lease == null) {
            unknown(one, toLookUp);
        } else if (lease.isDecided) {
            late.computeIfAbsent(lease.id, id -> new ArrayList<>()).add(question);
        } else if (lease.remainingSeconds > 0 || lease.isCheckpointed()) {
            clear(lease, question);
        } else {
            renew(lease);
            if (lease.expiryNanos < lease.dueNanos && queue.contains(lease)) {
                queue.put(lease, lease.expiryNanos);
            }
            if (isToldAll || one.isLookedUp) {
                metrics.leaseRenewed();
                reply(question, new LeaseReply.Renewed(lease.ttlSeconds));
            } else {
                // It lasts from now on; but it may have been revoked, and the asker may know that.
                toLookUp.add(one);
            }
        }
    }

    /**
     * One that is renewed has its whole time again, under the next leader too: the checkpoint must not count any more. One that was
     * proposed meanwhile comes behind this in the log, and must be taken back in its turn.
     */
    private void clear(HeldLease lease, LeaseQuestion.Renew question) {
        long promotion = primacy.promotion();
        int written = lease.written;
        listener.propose(primacy.term(), List.of(new Request(Requests.Kind.LEASE_CHECKPOINT,
                Requests.leaseCheckpoint(List.of(new Lease(lease.id, lease.ttlSeconds, 0))), new LeaseAnswer(
                        () -> mailbox.put(new Message.Cleared(promotion, question, written, true)),
                        () -> mailbox.put(new Message.Cleared(promotion, question, written, false))))));
    }

    private void cleared(long promotion, LeaseQuestion.Renew question, int written, boolean isDone) {
        if (!primacy.isPrimary() || promotion != primacy.promotion()) {
            reply(question, new LeaseReply.NotPrimary());
        } else if (isDone) {
            HeldLease lease = leases.get(question.lease());
            if (lease != null) {
                lease.settled = written;
            }
            wait(new Waiting(question, now() + questionNanos, true, null));
        } else {
            reply(question, new LeaseReply.Failed(Failure.TIMEOUT));
        }
    }

    private void tell(Waiting one, LeaseQuestion.TimeToLive question, List<Waiting> toLookUp) {
        HeldLease lease = leases.get(question.lease());
        if (!one.isLookedUp || lease == null) {
            unknown(one, toLookUp);
            return;
        }
        if (question.keys() && one.keys == null) {
            listener.keys(lease.id, keys -> mailbox.put(new Message.KeysFound(question, keys)));
            return;
        }
        List<Bytes> keys = one.keys == null ? List.of() : one.keys;
        reply(question, new LeaseReply.TimeToLive((expiry(lease) - now()) / SECOND_NANOS, lease.ttlSeconds, keys));
    }

    // ---- leases of which not all is known yet

    private void unknown(Waiting one, List<Waiting> toLookUp) {
        if (one.isLookedUp) {
            reply(one.question, new LeaseReply.Unknown());
        } else {
            toLookUp.add(one);
        }
    }

    private void lookUp(List<Waiting> toLookUp) {
        if (toLookUp.isEmpty()) {
            return;
        }
        LookUp lookUp = new LookUp(toLookUp, now() + limits.lookUpNanos());
        lookUps.add(lookUp);
        listener.whenUpToDate(new ReadAnswer() {
            @Override
            public void ready() {
                mailbox.put(new Message.LookedUp(lookUp, null));
            }

            @Override
            public void failed(Failure failure) {
                mailbox.put(new Message.LookedUp(lookUp, failure));
            }
        });
    }

    private void lookedUp(LookUp lookUp, @Nullable Failure failure) {
        if (lookUp.isOver) {
            return;
        }
        lookUp.isOver = true;
        lookUps.remove(lookUp);
        for (Waiting one : lookUp.waiting) {
            if (failure == null) {
                wait(new Waiting(one.question, one.deadlineNanos, true, one.keys));
            } else {
                reply(one.question, new LeaseReply.ApplyingTooLong());
            }
        }
    }

    private void endLookUps() {
        long now = now();
        while (!lookUps.isEmpty() && lookUps.getFirst().deadlineNanos - now < 0) {
            lookedUp(lookUps.getFirst(), Failure.TIMEOUT);
        }
    }

    /** No more questions are taken. */
    void stop() {
        stopped = true;
    }

    /** After the last turn: nobody is left without an answer. */
    void abandon() {
        mailbox.take().forEach(message -> {
            if (message instanceof Message.ListAll(Consumer<LeaseList> asker)) {
                asker.accept(LeaseList.NONE);
            } else if (message instanceof Message.Asked(List<? extends LeaseQuestion> questions)) {
                questions.forEach(question -> reply(question, new LeaseReply.Failed(Failure.STOPPED)));
            } else if (message instanceof Message.KeysFound(LeaseQuestion.TimeToLive question, List<Bytes> keys)) {
                reply(question, new LeaseReply.Failed(Failure.STOPPED));
            } else if (message instanceof Message.Cleared(long promotion, LeaseQuestion.Renew question, int written, boolean done)) {
                reply(question, new LeaseReply.Failed(Failure.STOPPED));
            }
        });
        lookUps.forEach(lookUp -> waiting.addAll(lookUp.waiting));
        waiting.forEach(one -> reply(one.question, new LeaseReply.Failed(Failure.STOPPED)));
        late.values().forEach(renewals -> renewals
                .forEach(question -> reply(question, new LeaseReply.Failed(Failure.STOPPED))));
    }
}
