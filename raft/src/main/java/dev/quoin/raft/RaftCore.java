package dev.quoin.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * The consensus of one node: a pure state machine. Single owner: whoever calls {@link #step} is the only one who ever
 * touches it.
 *
 * <p>Rules that hold everywhere:
 * <ul>
 * <li>A node counts its own vote and its own log, and tells others of them, only after the disk has acknowledged them
 *     ({@link Input.Persisted}); a leader that is its own quorum is no exception (etcd issue 14370 is what happens
 *     else).
 * <li>A leader commits only entries of its own term by counting (Raft §5.4.2).
 * <li>Entries are handed out to be applied only when they are committed and on this node's own disk.
 * <li>A read index is given out only once an entry of the leader's own term is committed (Raft §6.4, §8): before that
 *     a leader does not know how far the log is committed.
 * <li>A message that cannot be changes nothing ({@link MessageCheck}).
 * </ul>
 *
 * <p>Terms, votes, elections and what a follower does are here; what a leader does is in {@link Leadership}.
 */
public final class RaftCore {
    /** What a node is at a moment. */
    public enum Role {
        FOLLOWER,
        /** Asks whether it could win an election, without raising its term. */
        PRE_CANDIDATE,
        CANDIDATE,
        LEADER
    }

    /** Why a node stands for election. */
    private enum Campaign {
        PRE_VOTE,
        ELECTION,
        /** The leader asked for it: nobody need be asked first, and no lease holds. */
        TRANSFER
    }

    private final long id;
    private final Rules rules;
    private final RaftLimits limits;
    private final Chance chance;
    private final RaftLog log;
    private final Outbox outbox;
    private Configuration configuration;
    /** The last entry that the configuration contains. */
    private long configurationIndex;
    /** As of what is applied: what a snapshot taken now says. */
    private Configuration appliedConfiguration;

    private long term;
    private long vote;
    private long leader;
    private Role role = Role.FOLLOWER;
    private Votes votes = new Votes();
    private @Nullable Leadership leadership;

    /** Ticks since the leader was heard, or since this node's last campaign, or a leader's last check of its quorum. */
    private int electionElapsed;
    private int electionTimeout;

    /** This node's own reads, while it knows no leader to ask. */
    private final Deque<Bytes> waitingReads = new ArrayDeque<>();

    private long reportedLeader;

    /** A node as a restart finds it. */
    public RaftCore(Restart restart, Rules rules, RaftLimits limits, Chance chance) {
        Invariant.check(restart.id() != 0, "a node's id is never 0");
        id = restart.id();
        this.rules = rules;
        this.limits = limits;
        this.chance = chance;
        try {
            configuration = ConfigChanger.restore(restart.configuration());
        } catch (ConfigChanger.Impossible e) {
            throw Invariant.violation("the configuration at the restart cannot be: %s", e.getMessage());
        }
        appliedConfiguration = configuration;
        configurationIndex = restart.applied();
        // What was applied was committed, even when the note of it was not synced before the crash.
        long committed = Math.max(restart.hardState().commit(), restart.applied());
        log = new RaftLog(limits, restart.baseIndex(), restart.baseTerm(), restart.entries(), committed,
                restart.applied());
        forgetSurplus();
        term = restart.hardState().term();
        vote = restart.hardState().vote();
        outbox = new Outbox(log, restart.hardState());
        restartElectionTimer();
        electionTimeout = randomTimeout();
    }

    /** Takes one input and answers what is to be done, in order. Throws nothing but {@link Invariant.Violation}. */
    public List<Effect> step(Input input) {
        switch (input) {
            case Input.Tick() -> onTick();
            case Input.Received(Message message) -> onReceived(message);
            case Input.Campaign() -> onCampaign(rules.preVote() ? Campaign.PRE_VOTE : Campaign.ELECTION);
            case Input.Proposed(List<Input.Proposal> proposals) -> onProposed(proposals);
            case Input.ReadRequested(long readId) -> waitingReads.add(ReadRounds.contextOf(readId));
            case Input.Persisted(long ticket) -> onPersisted(ticket);
            case Input.Applied(long index) -> onApplied(index);
            case Input.Reconfigured(long index, ConfChange change) -> onReconfigured(index, change);
            case Input.Forget(long index) -> log.forgetTo(index);
            case Input.TransferLeadership(long to) -> onTransfer(to, to);
            case Input.ForgetLeader() -> onForgetLeader();
            case Input.Unreachable(long peer) -> {
                if (leadership != null) {
                    leadership.onUnreachable(peer);
                }
            }
            case Input.SnapshotSent(long peer, boolean arrived) -> {
                if (leadership != null) {
                    leadership.onSnapshotSent(peer, arrived);
                }
            }
        }
        askWaitingReads();
        outbox.finish(term, vote);
        if (leader != reportedLeader) {
            reportedLeader = leader;
            outbox.add(new Effect.LeaderChanged(leader, term));
        }
        return outbox.take();
    }

    // What others may know

    public boolean isLeader() {
        return role == Role.LEADER;
    }

    public Role role() {
        return role;
    }

    /** Whether this node is the only voter and neither leads nor stands for election. */
    public boolean isAloneWithoutLeader() {
        return role == Role.FOLLOWER && configuration.isSingleton() && isPromotable();
    }

    /** The leader this node knows, 0 for none. */
    public long leader() {
        return leader;
    }

    public long term() {
        return term;
    }

    public long committedIndex() {
        return log.committedIndex();
    }

    public long lastIndex() {
        return log.lastIndex();
    }

    /** The data of the entries that are not applied yet. */
    public long unappliedBytes() {
        return log.unappliedBytes();
    }

    /** Who takes part. */
    public ConfState members() {
        return configuration.toConfState();
    }

    /** Who shall lead instead of this leader, 0 for nobody. */
    public long transferee() {
        return leadership == null ? 0 : leadership.transferee();
    }

    /** How a leader sees each member; a follower sees nobody. */
    public List<PeerProgress> progress() {
        List<PeerProgress> all = new ArrayList<>();
        if (leadership != null) {
            Progresses progresses = leadership.progresses();
            for (int i = 0; i < progresses.size(); i++) {
                all.add(progresses.at(i).seen(progresses.idAt(i)));
            }
        }
        return all;
    }

    // What the parts of this node know

    long id() {
        return id;
    }

    Configuration configuration() {
        return configuration;
    }

    RaftLog log() {
        return log;
    }

    Outbox outbox() {
        return outbox;
    }

    HardState hardState() {
        return new HardState(term, vote, log.committedIndex());
    }

    /** Of the state machine as it is now. */
    SnapshotMeta currentSnapshot() {
        return new SnapshotMeta(log.appliedIndex(), log.termAt(log.appliedIndex()), appliedConfiguration.toConfState());
    }

    // Time and elections

    private void onTick() {
        electionElapsed++;
        if (leadership != null) {
            boolean timeoutPassed = electionElapsed >= rules.electionTicks();
            if (timeoutPassed) {
                restartElectionTimer();
            }
            leadership.onTick(timeoutPassed);
        } else if (isPromotable() && electionElapsed >= electionTimeout) {
            restartElectionTimer();
            onCampaign(rules.preVote() ? Campaign.PRE_VOTE : Campaign.ELECTION);
        }
    }

    void restartElectionTimer() {
        electionElapsed = 0;
    }

    /** Elections begin after one to two election timeouts, so that two nodes rarely begin at once (Raft §5.2). */
    private int randomTimeout() {
        return rules.electionTicks() + chance.below(rules.electionTicks());
    }

    /** For the transcripts, which set it. */
    void setElectionTimeout(int ticks) {
        electionTimeout = ticks;
    }

    private boolean isPromotable() {
        return configuration.isVoter(id) && log.pendingSnapshot() == null;
    }

    private void onCampaign(Campaign campaign) {
        if (role == Role.LEADER) {
            outbox.note(new Event.CampaignIgnored());
            return;
        }
        if (!isPromotable()) {
            outbox.note(new Event.CannotCampaign());
            return;
        }
        // Who is a voter after such a change is not known yet.
        if (log.hasUnappliedConfChange()) {
            outbox.note(new Event.CampaignBlocked(term));
            return;
        }
        outbox.note(new Event.ElectionStarted(term));
        campaign(campaign);
    }

    private void campaign(Campaign campaign) {
        boolean pre = campaign == Campaign.PRE_VOTE;
        if (pre) {
            becomePreCandidate();
        } else {
            becomeCandidate();
        }
        long electionTerm = pre ? term + 1 : term;
        for (long voter : configuration.voters()) {
            if (voter != id) {
                Message.VoteRequest request = new Message.VoteRequest(id, voter, electionTerm, pre, log.lastIndex(),
                        log.lastTerm(), campaign == Campaign.TRANSFER);
                outbox.note(new Event.VoteRequested(request, term));
                outbox.send(request);
            }
        }
        // Its real vote counts in onPersisted, when it is on disk; this one promises nothing.
        if (pre) {
            countVote(id, true, true);
        }
    }

    private void becomePreCandidate() {
        votes = new Votes();
        leader = 0;
        role = Role.PRE_CANDIDATE;
        outbox.note(new Event.BecamePreCandidate(term));
    }

    private void becomeCandidate() {
        reset(term + 1);
        vote = id;
        role = Role.CANDIDATE;
        outbox.note(new Event.BecameCandidate(term));
    }

    private void becomeFollower(long newTerm, long newLeader) {
        reset(newTerm);
        leader = newLeader;
        role = Role.FOLLOWER;
        outbox.note(new Event.BecameFollower(term));
    }

    private void becomeLeader() {
        reset(term);
        leader = id;
        role = Role.LEADER;
        leadership = new Leadership(this, log, outbox, rules, limits);
        outbox.note(new Event.BecameLeader(term));
        leadership.begin();
    }

    /** A leader whose office has ended, and nobody has another. */
    void stepDown() {
        becomeFollower(term, 0);
    }

    private void reset(long newTerm) {
        Invariant.check(newTerm >= term, "term %d after %d", newTerm, term);
        if (newTerm != term) {
            term = newTerm;
            vote = 0;
        }
        leader = 0;
        votes = new Votes();
        restartElectionTimer();
        electionTimeout = randomTimeout();
        if (leadership != null) {
            waitingReads.addAll(leadership.ownReads());
            leadership = null;
        }
    }

    private void countVote(long from, boolean pre, boolean granted) {
        outbox.note(new Event.VoteReceived(from, pre, granted, term));
        votes.record(from, granted);
        outbox.note(new Event.VotesCounted(pre, votes.count(Votes.Vote.GRANTED, configuration),
                votes.count(Votes.Vote.REJECTED, configuration)));
        switch (configuration.result(votes)) {
            case WON -> {
                if (pre) {
                    campaign(Campaign.ELECTION);
                } else {
                    becomeLeader();
                }
            }
            case LOST -> becomeFollower(term, 0);
            case PENDING -> {}
        }
    }

    // Messages

    private void onReceived(Message message) {
        Event.Refusal refusal = MessageCheck.refusal(message, id);
        if (refusal == null && isAnswer(message) && !configuration.isMember(message.from())) {
            refusal = Event.Refusal.UNKNOWN_PEER;
        }
        if (refusal != null) {
            outbox.note(new Event.Refused(message, refusal));
            return;
        }
        // What is passed on to a leader has no term.
        if (message.term() > term && !onHigherTerm(message)) {
            return;
        }
        if (message.term() != 0 && message.term() < term) {
            onLowerTerm(message);
            return;
        }
        dispatch(message);
    }

    private static boolean isAnswer(Message message) {
        return message instanceof Message.AppendAccepted || message instanceof Message.AppendRejected
                || message instanceof Message.VoteAnswer || message instanceof Message.HeartbeatAnswer
                || message instanceof Message.ReadIndexAnswer;
    }

    /** Says whether the message is still to be looked at. */
    private boolean onHigherTerm(Message message) {
        switch (message) {
            case Message.VoteRequest request -> {
                // Whoever hears its leader does not let itself be disturbed, but by that leader's own wish.
                if (!request.transfer() && rules.checkQuorum() && leader != 0
                        && electionElapsed < rules.electionTicks()) {
                    outbox.note(voteAnswered(request, Event.Answer.IGNORED_IN_LEASE));
                    return false;
                }
                if (!request.pre()) {
                    followHigherTerm(message, 0);
                }
            }
            // The term of a granted pre-vote is the one asked for: nobody has it yet.
            case Message.VoteAnswer answer when answer.pre() && answer.granted() -> {}
            case Message.Append append -> followHigherTerm(message, append.from());
            case Message.Heartbeat heartbeat -> followHigherTerm(message, heartbeat.from());
            case Message.InstallSnapshot install -> followHigherTerm(message, install.from());
            case Message.AppendAccepted m -> followHigherTerm(m, 0);
            case Message.AppendRejected m -> followHigherTerm(m, 0);
            case Message.HeartbeatAnswer m -> followHigherTerm(m, 0);
            case Message.VoteAnswer m -> followHigherTerm(m, 0);
            case Message.ReadIndexAnswer m -> followHigherTerm(m, 0);
            case Message.TransferLeader m -> followHigherTerm(m, 0);
            case Message.TimeoutNow m -> followHigherTerm(m, 0);
            case Message.Propose m -> {}
            case Message.ReadIndex m -> {}
        }
        return true;
    }

    private void followHigherTerm(Message message, long newLeader) {
        outbox.note(new Event.HigherTerm(message, term));
        becomeFollower(message.term(), newLeader);
    }

    private void onLowerTerm(Message message) {
        if ((rules.checkQuorum() || rules.preVote())
                && (message instanceof Message.Heartbeat || message instanceof Message.Append)) {
            // A leader that has not heard of this node's term. With these rules nobody else will tell it, since this
            // node's requests for votes are ignored: it must be told to step down, or this node is stuck.
            outbox.promise(new Message.AppendAccepted(id, message.from(), term, 0));
        } else if (message instanceof Message.VoteRequest request && request.pre()) {
            // A node with a low term and a log that is behind must learn of the term, or it asks forever.
            outbox.note(voteAnswered(request, Event.Answer.REJECTED));
            outbox.promise(new Message.VoteAnswer(id, message.from(), term, true, false));
        } else {
            outbox.note(new Event.StaleMessage(message, term));
        }
    }

    private void dispatch(Message message) {
        switch (message) {
            case Message.VoteRequest request -> onVoteRequest(request);
            case Message.VoteAnswer answer -> onVoteAnswer(answer);
            case Message.Append append -> {
                if (follow(append)) {
                    onAppend(append);
                }
            }
            case Message.Heartbeat heartbeat -> onHeartbeat(heartbeat);
            case Message.InstallSnapshot install -> {
                if (follow(install)) {
                    onSnapshot(install);
                }
            }
            case Message.AppendAccepted answer -> {
                if (leadership != null) {
                    leadership.onAccepted(answer);
                }
            }
            case Message.AppendRejected answer -> {
                if (leadership != null) {
                    leadership.onRejected(answer);
                }
            }
            case Message.HeartbeatAnswer answer -> {
                if (leadership != null) {
                    leadership.onHeartbeatAnswer(answer);
                }
            }
            case Message.Propose propose -> onForwarded(propose);
            case Message.ReadIndex read -> onReadIndex(read);
            case Message.ReadIndexAnswer answer -> readReady(answer.context(), answer.index());
            case Message.TransferLeader transfer -> onTransfer(transfer.from(), transfer.from());
            case Message.TimeoutNow now -> onTimeoutNow(now);
        }
    }

    private void onVoteRequest(Message.VoteRequest request) {
        boolean mayVote = vote == request.from() || (vote == 0 && leader == 0)
                || (request.pre() && request.term() > term);
        // A learner votes too: it may be a voter already and not know it.
        if (mayVote && log.isUpToDate(request.lastTerm(), request.lastIndex())) {
            outbox.note(voteAnswered(request, Event.Answer.CAST));
            // The term that was asked for: for a pre-vote, this node's own would be taken for an old one.
            outbox.promise(new Message.VoteAnswer(id, request.from(), request.term(), request.pre(), true));
            if (!request.pre()) {
                restartElectionTimer();
                vote = request.from();
            }
        } else {
            outbox.note(voteAnswered(request, Event.Answer.REJECTED));
            outbox.promise(new Message.VoteAnswer(id, request.from(), term, request.pre(), false));
        }
    }

    private Event voteAnswered(Message.VoteRequest request, Event.Answer answer) {
        return new Event.VoteAnswered(request, answer, log.lastTerm(), log.lastIndex(), vote, term,
                rules.electionTicks() - electionElapsed);
    }

    private void onVoteAnswer(Message.VoteAnswer answer) {
        Role asked = answer.pre() ? Role.PRE_CANDIDATE : Role.CANDIDATE;
        if (role == asked) {
            countVote(answer.from(), answer.pre(), answer.granted());
        }
    }

    /** A message of the leader of this term: this node follows it, whatever it was. Another leader cannot be. */
    private boolean follow(Message message) {
        switch (role) {
            case LEADER -> {
                outbox.note(new Event.Refused(message, Event.Refusal.SECOND_LEADER));
                return false;
            }
            case CANDIDATE, PRE_CANDIDATE -> becomeFollower(term, message.from());
            case FOLLOWER -> {
                if (leader != 0 && leader != message.from()) {
                    outbox.note(new Event.Refused(message, Event.Refusal.SECOND_LEADER));
                    return false;
                }
                restartElectionTimer();
                leader = message.from();
            }
        }
        return true;
    }

    private void onAppend(Message.Append append) {
        if (append.prevIndex() < log.committedIndex()) {
            outbox.promise(new Message.AppendAccepted(id, append.from(), term, log.committedIndex()));
            return;
        }
        if (!log.matches(append.prevIndex(), append.prevTerm())) {
            reject(append);
            return;
        }
        takeOver(append.entries());
        long lastNew = append.prevIndex() + append.entries().size();
        log.commitTo(Math.max(log.committedIndex(), Math.min(append.commit(), lastNew)));
        outbox.promise(new Message.AppendAccepted(id, append.from(), term, lastNew));
    }

    /** Skips what the log holds already; the first that differs replaces all that follows it. */
    private void takeOver(List<Entry> entries) {
        int known = 0;
        while (known < entries.size() && log.matches(entries.get(known).index(), entries.get(known).term())) {
            known++;
        }
        if (known == entries.size()) {
            return;
        }
        Entry first = entries.get(known);
        if (first.index() <= log.lastIndex()) {
            outbox.note(new Event.ConflictFound(first.index(), log.termAt(first.index()), first.term()));
            outbox.note(new Event.Truncated(first.index()));
            log.truncateFrom(first.index());
            outbox.truncated(first.index());
        }
        for (Entry entry : entries.subList(known, entries.size())) {
            log.append(entry);
        }
    }

    /**
     * Tells the leader where the logs may meet: the highest index whose term is not above the one that the leader has where
     * it asked, since in a log terms only rise. That skips all of an uncommitted tail of other terms at once.
     */
    private void reject(Message.Append append) {
        outbox.note(new Event.AppendRefused(append, Math.max(0, log.termAt(append.prevIndex()))));
        long hint = log.lastPossibleMatch(Math.min(append.prevIndex(), log.lastIndex()), append.prevTerm());
        outbox.promise(new Message.AppendRejected(id, append.from(), term, append.prevIndex(), hint,
                Math.max(0, log.termAt(hint))));
    }

    private void onHeartbeat(Message.Heartbeat heartbeat) {
        // What the leader takes for durable here is not. Its answer would have it send entries that do not fit.
        if (heartbeat.commit() > log.lastIndex()) {
            outbox.note(new Event.Refused(heartbeat, Event.Refusal.COMMIT_BEYOND_LOG));
            return;
        }
        if (follow(heartbeat)) {
            log.commitTo(heartbeat.commit());
            outbox.send(new Message.HeartbeatAnswer(id, heartbeat.from(), term, heartbeat.context()));
        }
    }

    private void onSnapshot(Message.InstallSnapshot install) {
        boolean restored = restore(install.snapshot());
        outbox.note(new Event.SnapshotTaken(restored, log.committedIndex(), install.snapshot()));
        outbox.promise(new Message.AppendAccepted(id, install.from(), term,
                restored ? log.lastIndex() : log.committedIndex()));
    }

    private boolean restore(SnapshotMeta snapshot) {
        if (snapshot.index() <= log.committedIndex()) {
            return false;
        }
        Configuration next;
        try {
            next = ConfigChanger.restore(snapshot.configuration());
        } catch (ConfigChanger.Impossible e) {
            throw Invariant.violation("the snapshot's configuration was not checked: %s", e.getMessage());
        }
        if (!next.isMember(id)) {
            outbox.note(new Event.SnapshotNotForUs(snapshot));
            return false;
        }
        if (log.matches(snapshot.index(), snapshot.term())) {
            outbox.note(new Event.FastForwarded(log.committedIndex(), log.lastIndex(), log.lastTerm(), snapshot));
            log.commitTo(snapshot.index());
            return false;
        }
        outbox.note(new Event.RestoreStarted(log.committedIndex(), log.appliedIndex(), log.handedOverIndex(),
                log.lastIndex(),
                snapshot));
        log.restore(snapshot);
        outbox.restored(snapshot);
        configurationIndex = snapshot.index();
        switchTo(next);
        outbox.note(new Event.LogRestored(log.committedIndex(), log.lastIndex(), log.lastTerm(), snapshot));
        return true;
    }

    private void onTimeoutNow(Message.TimeoutNow now) {
        if (role == Role.LEADER) {
            return;
        }
        outbox.note(new Event.TimeoutNowReceived(now.from(), term, role));
        if (role == Role.FOLLOWER) {
            onCampaign(Campaign.TRANSFER);
        }
    }

    // Requests

    private void onProposed(List<Input.Proposal> proposals) {
        Effect.Reason refused = propose(proposals, id);
        if (refused != null) {
            outbox.add(new Effect.Dropped(proposals, refused));
        }
    }

    /** Who asked for these learns of a refusal only by waiting. */
    private void onForwarded(Message.Propose propose) {
        if (propose(propose.proposals(), propose.from()) == Effect.Reason.MALFORMED) {
            outbox.note(new Event.Refused(propose, Event.Refusal.PROPOSAL));
        }
    }

    private Effect.@Nullable Reason propose(List<Input.Proposal> proposals, long from) {
        if (leadership != null) {
            return leadership.propose(proposals);
        }
        Effect.Reason refused = leader == 0 ? Effect.Reason.NO_LEADER
                : rules.forwardProposals() ? null : Effect.Reason.FORWARDING_DISABLED;
        if (refused != null) {
            outbox.note(new Event.ProposalDropped(refused, leader, term));
            return refused;
        }
        outbox.send(new Message.Propose(from, leader, proposals));
        return null;
    }

    /** For the leader: entries without a place get one. */
    void append(List<Input.Proposal> proposals) {
        for (Input.Proposal proposal : proposals) {
            log.append(new Entry(term, log.lastIndex() + 1, proposal.kind(), proposal.data()));
        }
    }

    private void askWaitingReads() {
        if (leader == 0) {
            return;
        }
        while (!waitingReads.isEmpty()) {
            Bytes context = waitingReads.remove();
            if (leadership != null) {
                leadership.onRead(0, context);
            } else {
                outbox.send(new Message.ReadIndex(id, leader, context));
            }
        }
    }

    private void onReadIndex(Message.ReadIndex read) {
        if (leadership != null) {
            if (!leadership.onRead(read.from() == id ? 0 : read.from(), read.context())) {
                outbox.note(new Event.Refused(read, Event.Refusal.TOO_MANY_READS));
            }
        } else if (leader != 0) {
            outbox.send(new Message.ReadIndex(read.from(), leader, read.context()));
        }
    }

    void readReady(Bytes context, long index) {
        Long readId = ReadRounds.readIdOf(context);
        if (readId != null) {
            outbox.add(new Effect.ReadReady(readId, index));
        }
    }

    private void onTransfer(long to, long from) {
        if (leadership != null) {
            leadership.onTransfer(to);
        } else if (role == Role.FOLLOWER) {
            if (leader == 0) {
                outbox.note(new Event.TransferIgnored(to, term, Event.Ignored.NO_LEADER));
            } else {
                outbox.send(new Message.TransferLeader(from, leader, term));
            }
        }
    }

    private void onForgetLeader() {
        if (role != Role.FOLLOWER) {
            return;
        }
        if (rules.leaseReads()) {
            outbox.note(new Event.ForgetLeaderIgnored());
        } else if (leader != 0) {
            outbox.note(new Event.LeaderForgotten(leader, term));
            leader = 0;
        }
    }

    // The disk and the state machine

    private void onPersisted(long ticket) {
        for (Writes.Write done = outbox.acknowledgedBy(ticket); done != null; done = outbox.acknowledgedBy(ticket)) {
            log.durableTo(done.vouchesTo());
            if (role == Role.CANDIDATE && done.term() == term && done.vote() == id
                    && votes.of(id) == Votes.Vote.MISSING) {
                countVote(id, false, true);
            }
            SnapshotMeta snapshot = done.snapshot();
            if (snapshot != null && snapshot.equals(log.pendingSnapshot())) {
                log.handedOverSnapshot(snapshot);
                outbox.add(new Effect.Install(snapshot));
            }
            done.messages().forEach(outbox::send);
        }
        if (leadership != null) {
            leadership.onDurable(log.durableIndex());
        }
    }

    private void onApplied(long index) {
        long dataBytes = log.appliedTo(index);
        appliedConfiguration = configuration;
        if (leadership != null) {
            leadership.onApplied(dataBytes);
        }
        forgetSurplus();
    }

    private void forgetSurplus() {
        long bytesMax = configuration.isSingleton() && configuration.learners().isEmpty()
                ? limits.retainedAloneBytesMax()
                : leadership != null && leadership.progresses().isAnyCatchingUp() ? limits.catchUpBytesMax()
                        : limits.retainedBytesMax();
        log.retainAtMost(bytesMax);
    }

    private void onReconfigured(long index, ConfChange change) {
        if (index <= configurationIndex) {
            return;
        }
        configurationIndex = index;
        try {
            switchTo(ConfigChanger.change(configuration, change));
        } catch (ConfigChanger.Impossible e) {
            throw Invariant.violation("%s was applied to %s: %s", change, configuration, e.getMessage());
        }
    }

    private void switchTo(Configuration next) {
        boolean changed = !next.equals(configuration);
        configuration = next;
        outbox.note(new Event.ConfigurationSwitched(next.toConfState()));
        if (changed) {
            outbox.add(new Effect.ConfigurationChanged(next.toConfState()));
        }
        if (leadership == null) {
            return;
        }
        leadership.trackMembers();
        if (configuration.isVoter(id)) {
            leadership.onReconfigured();
        } else if (rules.stepDownOnRemoval()) {
            stepDown();
        }
    }

    @Override
    public String toString() {
        return "%x %s term=%d vote=%x %s".formatted(id, role, term, vote, log);
    }
}
