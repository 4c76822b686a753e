package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader;

/**
 * What a node knows and does while it leads; it ends with the term. It tracks each member's log, sends it what it lacks,
 * commits what a quorum holds, confirms reads, and hands its office over.
 *
 * <p>Flow: a member is probed with one message at a time until it is known where it is; then messages are sent ahead, up
 * to a bound; a member whose place in the log is forgotten gets a snapshot. A message that is lost is noticed by the
 * rejection of its successor, or at the next heartbeat's answer.
 */
final class Leadership {
    private final RaftCore core;
    private final long id;
    private final RaftLog log;
    private final Outbox outbox;
    private final Rules rules;
    private final RaftLimits limits;
    private final long term;
    /** The first entry of this term; reads wait until it is committed. */
    private final long firstIndexOfTerm;
    /** A follower that lacks no more than one in so many of the entries that are kept has caught up. */
    private static final int NEAR_THE_END = 16;

    private final ReadRounds reads = new ReadRounds();

    private Progresses progresses;
    private int ticksSinceHeartbeat;
    /** Who shall lead instead, 0 for nobody. Until then nothing is appended. */
    private long transferee;
    /**
     * At or behind the last change of members that may not be applied yet: no other is appended until this is applied, for
     * two at once could make two quorums that do not meet.
     */
    private long pendingConfIndex;
    /** The data of what was appended in this term and is not applied. May be too low, never too high. */
    private long uncommittedBytes;

    Leadership(RaftCore core, RaftLog log, Outbox outbox, Rules rules, RaftLimits limits) {
        this.core = core;
        this.log = log;
        this.outbox = outbox;
        this.rules = rules;
        this.limits = limits;
        id = core.id();
        term = core.term();
        long last = log.lastIndex();
        firstIndexOfTerm = last + 1;
        pendingConfIndex = last;
        List<Long> ids = core.configuration().members();
        List<Progress> each = new ArrayList<>(ids.size());
        for (long member : ids) {
            boolean self = member == id;
            each.add(new Progress(self ? log.durableIndex() : 0, last + 1, core.configuration().isLearner(member), self,
                    limits));
        }
        progresses = new Progresses(ids, each);
        Progress self = progresses.of(id);
        if (self != null) {
            self.replicate();
        }
    }

    Progresses progresses() {
        return progresses;
    }

    long transferee() {
        return transferee;
    }

    // Appending

    /** The first entry of the term, which nothing can refuse. */
    void begin() {
        core.append(List.of(new Input.Proposal(EntryKind.NORMAL, Bytes.EMPTY)));
        sendAppendToAll();
    }

    /** Appends all of them, or says why none. */
    Effect.@Nullable Reason propose(List<Input.Proposal> proposals) {
        Effect.Reason refused = tryPropose(proposals);
        if (refused != null) {
            outbox.note(new Event.ProposalDropped(refused, transferee, term));
        }
        return refused;
    }

    private Effect.@Nullable Reason tryPropose(List<Input.Proposal> proposals) {
        if (progresses.of(id) == null) {
            return Effect.Reason.NOT_A_MEMBER;
        }
        if (transferee != 0) {
            return Effect.Reason.LEADERSHIP_TRANSFER;
        }
        long bytes = 0;
        boolean changesMembers = false;
        for (Input.Proposal proposal : proposals) {
            bytes += proposal.data().length();
            changesMembers |= proposal.kind() != EntryKind.NORMAL;
        }
        List<Input.Proposal> accepted = proposals;
        long pendingBefore = pendingConfIndex;
        if (changesMembers) {
            try {
                accepted = checkConfChanges(proposals);
            } catch (ProtoReader.Malformed e) {
                pendingConfIndex = pendingBefore;
                return Effect.Reason.MALFORMED;
            }
        }
        // Something of any size may always be appended to nothing, and nothing to anything.
        if (uncommittedBytes > 0 && bytes > 0 && uncommittedBytes + bytes > limits.uncommittedBytesMax()) {
            pendingConfIndex = pendingBefore;
            return Effect.Reason.TOO_MUCH_UNCOMMITTED;
        }
        uncommittedBytes += bytes;
        core.append(accepted);
        sendAppendToAll();
        return null;
    }

    /** Puts an empty entry in the place of a change that must not be made now: who asked for it sees that it is not. */
    private List<Input.Proposal> checkConfChanges(List<Input.Proposal> proposals) {
        List<Input.Proposal> checked = new ArrayList<>(proposals);
        for (int i = 0; i < checked.size(); i++) {
            Input.Proposal proposal = checked.get(i);
            if (proposal.kind() == EntryKind.NORMAL) {
                continue;
            }
            ConfChange change = ConfChange.decode(proposal.kind(), proposal.data());
            String objection = objection(change);
            if (objection == null || !rules.checkConfChanges()) {
                pendingConfIndex = log.lastIndex() + i + 1;
            } else {
                outbox.note(new Event.ConfChangeRefused(change, core.members(), objection));
                checked.set(i, new Input.Proposal(EntryKind.NORMAL, Bytes.EMPTY));
            }
        }
        return checked;
    }

    private @Nullable String objection(ConfChange change) {
        if (pendingConfIndex > log.appliedIndex()) {
            return "possible unapplied conf change at index " + pendingConfIndex + " (applied to "
                    + log.appliedIndex() + ")";
        }
        boolean joint = core.configuration().isJoint();
        boolean leaves = change.changes().isEmpty();
        if (joint && !leaves) {
            return "must transition out of joint config first";
        }
        return !joint && leaves ? "not in joint state; refusing empty conf change" : null;
    }

    /** More is applied: {@code dataBytes} of it. */
    void onApplied(long dataBytes) {
        if (core.configuration().autoLeave() && log.appliedIndex() >= pendingConfIndex) {
            Effect.Reason refused = propose(List.of(new Input.Proposal(EntryKind.CONF_CHANGE_V2, Bytes.EMPTY)));
            outbox.note(refused == null ? new Event.LeavingJoint(core.members())
                    : new Event.StayingJoint(core.members(), refused));
        }
        uncommittedBytes = Math.max(0, uncommittedBytes - dataBytes);
    }

    /** This node's own log is durable up to {@code index}. */
    void onDurable(long index) {
        Progress own = progresses.of(id);
        if (own != null && own.acknowledged(index)) {
            own.freeInflightTo(index);
            commitAndTell();
        }
    }

    // Sending

    private void sendAppendToAll() {
        for (int i = 0; i < progresses.size(); i++) {
            if (progresses.idAt(i) != id) {
                sendAppend(progresses.idAt(i), progresses.at(i), true);
            }
        }
    }

    /** Sends the next entries, or none if {@code evenIfEmpty}; says whether it sent a message. */
    private boolean sendAppend(long to, Progress progress, boolean evenIfEmpty) {
        if (progress.isPaused()) {
            return false;
        }
        long prevIndex = progress.next() - 1;
        long prevTerm = log.termAt(prevIndex);
        if (prevTerm == RaftLog.UNKNOWN) {
            return sendSnapshot(to, progress);
        }
        // With too much in flight an empty message still goes out, so that the flow cannot stop for good when all that
        // was in flight is lost.
        List<Entry> entries = progress.mayTakeEntries()
                ? log.slice(progress.next(), log.lastIndex(), limits.messageBytesMax())
                : List.of();
        if (entries.isEmpty() && !evenIfEmpty) {
            return false;
        }
        outbox.send(new Message.Append(id, to, term, prevIndex, prevTerm, entries, log.committedIndex()));
        long bytes = 0;
        for (Entry entry : entries) {
            bytes += entry.data().length();
        }
        progress.sentEntries(entries.size(), bytes);
        progress.sentCommit(log.committedIndex());
        return true;
    }

    private boolean sendSnapshot(long to, Progress progress) {
        if (!progress.isRecentlyActive()) {
            outbox.note(new Event.SnapshotWithheld(to));
            return false;
        }
        SnapshotMeta snapshot = core.currentSnapshot();
        PeerProgress before = progress.seen(to);
        progress.awaitSnapshot(snapshot.index());
        outbox.note(new Event.SnapshotSent(to, log.baseIndex() + 1, log.committedIndex(), snapshot, before,
                progress.seen(to)));
        outbox.send(new Message.InstallSnapshot(id, to, term, snapshot));
        return true;
    }

    private void sendHeartbeatToAll() {
        Bytes context = reads.context();
        for (int i = 0; i < progresses.size(); i++) {
            if (progresses.idAt(i) != id) {
                Progress progress = progresses.at(i);
                // What is committed beyond the member's match may not be what it holds there.
                long commit = Math.min(progress.match(), log.committedIndex());
                outbox.send(new Message.Heartbeat(id, progresses.idAt(i), term, commit, context));
                progress.sentCommit(commit);
            }
        }
    }

    private void sendTimeoutNow(long to) {
        outbox.send(new Message.TimeoutNow(id, to, term));
    }

    // Time

    void onTick(boolean electionTimeoutPassed) {
        ticksSinceHeartbeat++;
        if (electionTimeoutPassed) {
            if (rules.checkQuorum() && !isQuorumActive()) {
                outbox.note(new Event.QuorumLost());
                core.stepDown();
                return;
            }
            abortTransfer(false);
        }
        if (ticksSinceHeartbeat >= rules.heartbeatTicks()) {
            ticksSinceHeartbeat = 0;
            sendHeartbeatToAll();
        }
    }

    /** Whether a quorum was heard since the last time this was asked. */
    private boolean isQuorumActive() {
        Votes active = new Votes();
        for (int i = 0; i < progresses.size(); i++) {
            Progress progress = progresses.at(i);
            if (!progress.isLearner()) {
                active.record(progresses.idAt(i), progress.isRecentlyActive());
            }
            if (progresses.idAt(i) != id) {
                progress.checked();
            }
        }
        return core.configuration().result(active) == VoteResult.WON;
    }

    // Answers

    void onAccepted(Message.AppendAccepted answer) {
        Progress progress = progresses.of(answer.from());
        if (progress == null) {
            return;
        }
        if (answer.index() > log.lastIndex()) {
            outbox.note(new Event.Refused(answer, Event.Refusal.ACKNOWLEDGES_TOO_MUCH));
            return;
        }
        progress.setRecentlyActive(true);
        boolean probed = progress.state() == PeerProgress.State.PROBE && progress.match() == answer.index();
        if (!progress.acknowledged(answer.index()) && !probed) {
            return;
        }
        if (progress.match() >= log.appliedIndex() - (log.appliedIndex() - log.baseIndex()) / NEAR_THE_END) {
            progress.caughtUp();
        }
        switch (progress.state()) {
            case PROBE -> progress.replicate();
            case REPLICATE -> progress.freeInflightTo(answer.index());
            case SNAPSHOT -> resumeAfterSnapshot(answer.from(), progress);
        }
        if (!commitAndTell() && progress.wouldGainFrom(log.committedIndex())) {
            sendAppend(answer.from(), progress, true);
        }
        while (sendAppend(answer.from(), progress, false)) {
            // What was acknowledged may have made room for several messages.
        }
        if (answer.from() == transferee && progress.match() == log.lastIndex()) {
            outbox.note(new Event.TimeoutNowSent(transferee, false));
            sendTimeoutNow(transferee);
        }
    }

    /** Whatever snapshot it took, and from whom: once its log meets this one, the log is the quicker way. */
    private void resumeAfterSnapshot(long from, Progress progress) {
        if (progress.match() >= log.baseIndex()) {
            outbox.note(new Event.RecoveredFromSnapshot(from, progress.seen(from)));
            progress.probe();
            progress.replicate();
        }
    }

    /**
     * The follower's hint lets a probe skip whatever cannot match: in a log terms only rise, so no entry of this log whose
     * term is above the hint's can be in the follower's. At most one probe for each term.
     */
    void onRejected(Message.AppendRejected answer) {
        Progress progress = progresses.of(answer.from());
        if (progress == null) {
            return;
        }
        progress.setRecentlyActive(true);
        outbox.note(new Event.RejectionReceived(answer));
        long match = answer.hintTerm() > 0 ? log.lastPossibleMatch(answer.hintIndex(), answer.hintTerm())
                : answer.hintIndex();
        if (progress.rejected(answer.index(), match)) {
            outbox.note(new Event.ProgressDecreased(answer.from(), progress.seen(answer.from())));
            if (progress.state() == PeerProgress.State.REPLICATE) {
                progress.probe();
            }
            sendAppend(answer.from(), progress, true);
        }
    }

    void onHeartbeatAnswer(Message.HeartbeatAnswer answer) {
        Progress progress = progresses.of(answer.from());
        if (progress == null) {
            return;
        }
        if (!reads.isKnown(answer.context())) {
            outbox.note(new Event.Refused(answer, Event.Refusal.ACKNOWLEDGES_TOO_MUCH));
            return;
        }
        progress.setRecentlyActive(true);
        progress.resume();
        if (progress.match() < log.lastIndex() || progress.state() == PeerProgress.State.PROBE) {
            sendAppend(answer.from(), progress, true);
        }
        if (!rules.leaseReads() && !answer.context().isEmpty()) {
            progress.confirm(ReadRounds.number(answer.context()));
            answerReads();
        }
    }

    void onUnreachable(long peer) {
        Progress progress = progresses.of(peer);
        if (progress == null || peer == id) {
            return;
        }
        // What was sent ahead is probably lost.
        if (progress.state() == PeerProgress.State.REPLICATE) {
            progress.probe();
        }
        outbox.note(new Event.PeerUnreachable(peer, progress.seen(peer)));
    }

    /** The peer's own answer says where to go on; if the snapshot is lost, the next heartbeat's answer does. */
    void onSnapshotSent(long peer, boolean arrived) {
        Progress progress = progresses.of(peer);
        if (progress == null || progress.state() != PeerProgress.State.SNAPSHOT) {
            return;
        }
        if (!arrived) {
            progress.forgetSnapshot();
        }
        progress.probe();
        outbox.note(new Event.SnapshotReported(peer, arrived, progress.seen(peer)));
        progress.pause();
    }

    // Committing

    /** Commits what a quorum holds, and if that is more than before, tells everybody and says so. */
    private boolean commitAndTell() {
        long quorum = quorumIndex();
        // A leader may commit only entries of its own term (Raft §5.4.2, figure 8): an older entry on a majority can
        // still be overwritten by a leader that never saw it.
        if (quorum <= log.committedIndex() || quorum < firstIndexOfTerm || quorum > log.lastIndex()) {
            return false;
        }
        Invariant.check(log.termAt(quorum) == term, "entry %d is not of term %d", quorum, term);
        log.commitTo(quorum);
        startWaitingReads();
        sendAppendToAll();
        return true;
    }

    private long quorumIndex() {
        return core.configuration().committed(member -> {
            Progress progress = progresses.of(member);
            return progress == null ? 0 : progress.match();
        });
    }

    private boolean hasCommittedInTerm() {
        return log.committedIndex() >= firstIndexOfTerm;
    }

    // Reads

    /** {@code from}: who shall be answered, 0 for this node. Says whether there was room for another member's. */
    boolean onRead(long from, Bytes context) {
        if (from != 0 && reads.size() >= limits.waitingReadsMax()) {
            return false;
        }
        if (!hasCommittedInTerm()) {
            reads.postpone(from, context);
        } else {
            startRead(new ReadRounds.Read(from, context, log.committedIndex()));
        }
        return true;
    }

    private void startWaitingReads() {
        for (ReadRounds.Read read : reads.takePostponed()) {
            startRead(new ReadRounds.Read(read.from(), read.context(), log.committedIndex()));
        }
    }

    private void startRead(ReadRounds.Read read) {
        boolean alone = core.configuration().isSingleton() && core.configuration().isVoter(id);
        if (rules.leaseReads() || alone) {
            answer(read);
            return;
        }
        reads.begin(read);
        Progress own = progresses.of(id);
        if (own != null) {
            own.confirm(reads.newest());
        }
        sendHeartbeatToAll();
    }

    private void answerReads() {
        long confirmed = core.configuration().committed(member -> {
            Progress progress = progresses.of(member);
            return progress == null ? 0 : progress.confirmedRound();
        });
        reads.takeConfirmed(confirmed).forEach(this::answer);
    }

    private void answer(ReadRounds.Read read) {
        if (read.from() == 0) {
            core.readReady(read.context(), read.index());
        } else {
            outbox.send(new Message.ReadIndexAnswer(id, read.from(), term, read.index(), read.context()));
        }
    }

    /** This node's own reads that are not answered. */
    List<Bytes> ownReads() {
        return reads.own();
    }

    // Members

    /** After {@link #trackMembers}, if this node is still a voter: fewer may be needed now, and the new are greeted. */
    void onReconfigured() {
        if (!commitAndTell()) {
            // New members need not wait for a heartbeat.
            for (int i = 0; i < progresses.size(); i++) {
                if (progresses.idAt(i) != id) {
                    sendAppend(progresses.idAt(i), progresses.at(i), false);
                }
            }
        }
        if (!core.configuration().isVoter(transferee)) {
            abortTransfer(false);
        }
    }

    void trackMembers() {
        progresses = progresses.of(core.configuration(), log.lastIndex(), limits);
    }

    // Handing over

    void onTransfer(long to) {
        Progress progress = progresses.of(to);
        if (progress == null || progress.isLearner()) {
            outbox.note(new Event.TransferIgnored(to, term,
                    progress == null ? Event.Ignored.NOT_A_MEMBER : Event.Ignored.LEARNER));
            return;
        }
        if (transferee == to) {
            outbox.note(new Event.TransferIgnored(to, term, Event.Ignored.UNDER_WAY));
            return;
        }
        abortTransfer(true);
        if (to == id) {
            outbox.note(new Event.TransferIgnored(to, term, Event.Ignored.LEADS_ALREADY));
            return;
        }
        outbox.note(new Event.TransferStarted(to, term));
        // It must be done within an election timeout, or this node goes on.
        core.restartElectionTimer();
        transferee = to;
        if (progress.match() == log.lastIndex()) {
            sendTimeoutNow(to);
            outbox.note(new Event.TimeoutNowSent(to, true));
        } else {
            sendAppend(to, progress, true);
        }
    }

    private void abortTransfer(boolean forAnother) {
        if (transferee != 0) {
            outbox.note(new Event.TransferAborted(transferee, term, forAnother));
            transferee = 0;
        }
    }
}
