package dev.quoin.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/**
 * A {@link RaftCore} seen through the reference's words. The reference hands out what has gathered since the last time as
 * one "Ready", and tells a node of its own disk by messages to itself; this core answers each input at once and knows
 * tickets. What the core has no notion of is modelled here: the Ready, the messages to oneself, and where the reference's
 * "unstable" log begins, which its log lines tell.
 */
final class TranscriptNode {
    /** What is under way: between nodes, or from a node's storage to itself. */
    sealed interface Wire {
        long to();

        /** One that the reference sends over the network, or, from a node to itself, keeps until its disk is done. */
        record Net(Message message) implements Wire {
            @Override
            public long to() {
                return message.to();
            }
        }

        /** MsgStorageAppendResp; index 0 and no snapshot if it only acknowledges. */
        record Appended(long to, long term, long index, long logTerm, @Nullable SnapshotMeta snapshot, long ticket)
                implements
                    Wire {}

        /** MsgStorageApplyResp. */
        record Applied(long to, List<Entry> entries) implements Wire {}
    }

    /** One turn of the reference's storage thread. */
    record AppendWork(@Nullable HardState hardState, List<Entry> entries, @Nullable SnapshotMeta snapshot,
            List<Wire> responses,
            long ticket) {}

    /** What has gathered since the last. */
    record Ready(boolean roleChanged, @Nullable HardState hardState, List<Entry> entries,
            @Nullable SnapshotMeta snapshot,
            List<Entry> committed, List<Message> messages, boolean mustSync, @Nullable AppendWork appendWork) {}

    final long id;
    final boolean async;
    final Rules rules;
    final Deque<AppendWork> appendWork = new ArrayDeque<>();
    final Deque<List<Entry>> applyWork = new ArrayDeque<>();
    /** Snapshots of the state machine, the last one as it is. */
    final List<SnapshotMeta> history = new ArrayList<>();
    private final RaftCore core;
    private final long committedBytesMax;
    private final Consumer<LogLine> log;

    // The node's storage, as the reference's MemoryStorage: entries behind a base.
    private long storedBase;
    private final List<Entry> stored = new ArrayList<>();

    // Gathered since the last Ready.
    private final List<Message> immediate = new ArrayList<>();
    private final List<Message> afterAppend = new ArrayList<>();
    private long lastTicket;
    private long writtenTicket;
    private long ackedTicket;
    private RaftCore.Role lastRole;
    private long lastLeader;
    private HardState lastHardState;
    /** Messages that the core holds back until a write is done, and which the harness has seen. */
    private final Set<Message> heldByCore = Collections.newSetFromMap(new IdentityHashMap<>());
    private final IdentityHashMap<Message, Long> ticketOfOwn = new IdentityHashMap<>();
    /** What the core said of a vote for itself at once, and the reference says when it hears of it. */
    private final IdentityHashMap<Message, List<Event>> ownPreVotes = new IdentityHashMap<>();
    private @Nullable Message countingPreVote;
    private boolean dropped;
    private boolean unknownPeer;

    // The reference's log of what is not in its storage yet.
    private long unstableOffset;
    private long unstableInProgress;
    private @Nullable SnapshotMeta unstableSnapshot;
    private boolean snapshotInProgress;

    // What the reference has handed out to be applied, and what the core has.
    private long applying;
    private long applyingBytes;
    private boolean applyingPaused;
    private long committedByCore;

    TranscriptNode(long id, Rules rules, RaftLimits limits, boolean async, SnapshotMeta start,
            Consumer<LogLine> log) {
        this.id = id;
        this.rules = rules;
        this.async = async;
        this.log = log;
        committedBytesMax = limits.applyingBytesMax();
        core = new RaftCore(new Restart(id, HardState.EMPTY, start.configuration(), start.index(), start.term(),
                List.of(), start.index()), rules, limits, bound -> bound / 2);
        history.add(start);
        storedBase = start.index();
        unstableOffset = start.index() + 1;
        unstableInProgress = unstableOffset;
        applying = start.index();
        committedByCore = start.index();
        lastRole = core.role();
        lastHardState = core.hardState();
        log.accept(info("%x switched to configuration %s", id, core.configuration()));
        log.accept(info("%x became follower at term %d", id, core.term()));
        log.accept(info("newRaft %x [peers: [%s], term: %d, commit: %d, applied: %d, lastindex: %d, lastterm: %d]", id,
                String.join(",", core.configuration().voters().stream().map(GoWords::hex).toList()), core.term(),
                core.committedIndex(), start.index(), core.lastIndex(), core.log().lastTerm()));
    }

    private static LogLine info(String format, Object... args) {
        return new LogLine(LogLine.Level.INFO, format.formatted(args));
    }

    RaftCore core() {
        return core;
    }

    /** Says whether the input was dropped as a proposal. */
    boolean step(Input input) {
        dropped = false;
        unknownPeer = false;
        List<Message> ownVotes = new ArrayList<>();
        for (Effect effect : core.step(input)) {
            switch (effect) {
                case Effect.Noted(Event event) -> onEvent(event, ownVotes);
                case Effect.Send(Message message) -> onSend(message);
                case Effect.Persist persist -> onPersist(persist);
                case Effect.Commit(List<Entry> entries) -> {
                    Invariant.check(entries.getFirst().index() == committedByCore + 1, "commit out of order");
                    committedByCore = entries.getLast().index();
                }
                case Effect.Install(SnapshotMeta snapshot) -> committedByCore = snapshot.index();
                case Effect.Dropped drop -> dropped = true;
                case Effect.ConfigurationChanged changed -> {}
                case Effect.ReadReady ready -> {}
                case Effect.LeaderChanged changed -> {}
            }
        }
        ownVotes.forEach(vote -> ticketOfOwn.put(vote, lastTicket));
        for (Message message : core.outbox().waitingPromises()) {
            if (heldByCore.add(message)) {
                afterAppend.add(message);
            }
        }
        return dropped;
    }

    private void onSend(Message message) {
        if (heldByCore.remove(message)) {
            return;
        }
        boolean promises = message instanceof Message.AppendAccepted || message instanceof Message.AppendRejected
                || message instanceof Message.VoteAnswer;
        (promises ? afterAppend : immediate).add(message);
    }

    private void onPersist(Effect.Persist persist) {
        lastTicket = persist.ticket();
        if (!persist.entries().isEmpty() && core.isLeader()) {
            Message own = new Message.AppendAccepted(id, id, core.term(), persist.entries().getLast().index());
            ticketOfOwn.put(own, persist.ticket());
            afterAppend.add(own);
        }
    }

    private void onEvent(Event event, List<Message> ownVotes) {
        switch (event) {
            case Event.VoteReceived received when received.pre() && received.from() == id -> {
                countingPreVote = new Message.VoteAnswer(id, id, core.term() + 1, true, true);
                ownPreVotes.put(countingPreVote, new ArrayList<>(List.of(event)));
                afterAppend.add(countingPreVote);
                return;
            }
            case Event.VotesCounted counted when countingPreVote != null -> {
                ownPreVotes.computeIfAbsent(countingPreVote, none -> new ArrayList<>()).add(event);
                countingPreVote = null;
                return;
            }
            case Event.BecameCandidate(long term) -> {
                Message own = new Message.VoteAnswer(id, id, term, false, true);
                ownVotes.add(own);
                afterAppend.add(own);
            }
            case Event.Truncated(long index) -> onTruncated(index);
            case Event.RestoreStarted started -> onRestore(started);
            case Event.Refused refused -> {
                unknownPeer = refused.refusal() == Event.Refusal.UNKNOWN_PEER;
                return;
            }
            case Event.ProposalDropped drop -> dropped = true;
            default -> {}
        }
        LogLine.of(id, event).forEach(log);
    }

    // The reference's unstable log

    private boolean hasUnstable() {
        return core.lastIndex() >= unstableOffset;
    }

    private void onTruncated(long index) {
        if (index <= unstableOffset) {
            log.accept(info("replace the unstable entries from index %d", index));
            unstableOffset = index;
            unstableInProgress = index;
        } else {
            log.accept(info("truncate the unstable entries before index %d", index));
            unstableInProgress = Math.min(unstableInProgress, index);
        }
    }

    private void onRestore(Event.RestoreStarted e) {
        long unstable = Math.max(0, e.lastIndex() - unstableOffset + 1);
        log.accept(info("log [committed=%d, applied=%d, applying=%d, unstable.offset=%d, unstable.offsetInProgress=%d,"
                + " len(unstable.Entries)=%d] starts to restore snapshot [index: %d, term: %d]", e.committed(),
                e.applied(), applying, unstableOffset, unstableInProgress, unstable, e.snapshot().index(),
                e.snapshot().term()));
        unstableOffset = e.snapshot().index() + 1;
        unstableInProgress = unstableOffset;
        unstableSnapshot = e.snapshot();
        snapshotInProgress = false;
    }

    private void stableTo(long index, long term) {
        if (index < unstableOffset && unstableSnapshot != null && unstableSnapshot.index() == index) {
            log.accept(info("entry at index %d matched unstable snapshot; ignoring", index));
        } else if (index < unstableOffset || index > core.lastIndex()) {
            log.accept(info("entry at index %d missing from unstable log; ignoring", index));
        } else if (core.log().termAt(index) != term) {
            log.accept(info("entry at (index,term)=(%d,%d) mismatched with entry at (%d,%d) in unstable log; ignoring",
                    index, term, index, core.log().termAt(index)));
        } else {
            unstableOffset = index + 1;
            unstableInProgress = Math.max(unstableInProgress, unstableOffset);
        }
    }

    // Ready

    private List<Entry> nextEntries() {
        return hasUnstable() ? core.log().slice(unstableInProgress, core.lastIndex(), Long.MAX_VALUE) : List.of();
    }

    private long appliableIndex() {
        return async ? Math.min(core.committedIndex(), unstableOffset - 1) : core.committedIndex();
    }

    private List<Entry> nextCommitted() {
        if (applyingPaused || unstableSnapshot != null || applying >= appliableIndex()) {
            return List.of();
        }
        return core.log().slice(applying + 1, appliableIndex(), committedBytesMax - applyingBytes);
    }

    private boolean hasNewSnapshot() {
        return unstableSnapshot != null && !snapshotInProgress;
    }

    boolean hasReady() {
        return core.role() != lastRole || core.leader() != lastLeader || !core.hardState().equals(lastHardState)
                || hasNewSnapshot() || !immediate.isEmpty() || !afterAppend.isEmpty() || !nextEntries().isEmpty()
                || !nextCommitted().isEmpty();
    }

    Ready ready() {
        HardState state = core.hardState();
        List<Entry> entries = nextEntries();
        List<Entry> committed = nextCommitted();
        SnapshotMeta snapshot = hasNewSnapshot() ? unstableSnapshot : null;
        HardState changed = state.equals(lastHardState) ? null : state;
        boolean mustSync = !entries.isEmpty() || state.mustSync(lastHardState);
        List<Message> messages = new ArrayList<>(immediate);
        boolean needsWork = !entries.isEmpty() || changed != null || snapshot != null || !afterAppend.isEmpty();
        List<Wire> responses = new ArrayList<>();
        afterAppend.forEach(message -> responses.add(new Wire.Net(message)));
        if (hasUnstable() || snapshot != null) {
            responses.add(new Wire.Appended(id, core.term(), hasUnstable() ? core.lastIndex() : 0,
                    hasUnstable() ? core.log().lastTerm() : 0, snapshot, lastTicket));
        }
        AppendWork work = needsWork || (!responses.isEmpty() && !async)
                ? new AppendWork(changed, entries, snapshot, responses, lastTicket)
                : null;
        if (!async) {
            afterAppend.stream().filter(message -> message.to() != id).forEach(messages::add);
        }
        Ready ready = new Ready(core.role() != lastRole || core.leader() != lastLeader, changed, entries, snapshot,
                committed, messages, mustSync, work);
        accept(ready, state);
        return ready;
    }

    private void accept(Ready ready, HardState state) {
        lastRole = core.role();
        lastLeader = core.leader();
        lastHardState = state;
        immediate.clear();
        afterAppend.clear();
        if (hasUnstable()) {
            unstableInProgress = core.lastIndex() + 1;
        }
        if (unstableSnapshot != null) {
            snapshotInProgress = true;
        }
        if (!ready.committed().isEmpty()) {
            applying = ready.committed().getLast().index();
            applyingBytes += bytes(ready.committed());
            applyingPaused = applyingBytes >= committedBytesMax || applying < appliableIndex();
            Invariant.check(!async || committedByCore >= applying,
                    "the reference applies up to %d, the core has committed %d", applying, committedByCore);
        }
    }

    private static long bytes(List<Entry> entries) {
        return entries.stream().mapToLong(Entry::encodedBytes).sum();
    }

    // Storage

    void store(List<Entry> entries, @Nullable SnapshotMeta snapshot) {
        if (snapshot != null) {
            Invariant.check(entries.isEmpty(), "can't apply snapshot and entries at the same time");
            stored.clear();
            storedBase = snapshot.index();
            history.add(snapshot);
            return;
        }
        for (Entry entry : entries) {
            if (entry.index() > storedBase) {
                int keep = (int) (entry.index() - storedBase - 1);
                stored.subList(keep, stored.size()).clear();
                stored.add(entry);
            }
        }
    }

    void compact(long index) {
        stored.subList(0, (int) (index - storedBase)).clear();
        storedBase = index;
        step(new Input.Forget(index));
    }

    long storedBase() {
        return storedBase;
    }

    List<Entry> stored() {
        return stored;
    }

    void apply(List<Entry> entries) {
        for (Entry entry : entries) {
            ConfState configuration = history.getLast().configuration();
            if (entry.kind() != EntryKind.NORMAL) {
                step(new Input.Reconfigured(entry.index(), ConfChange.decode(entry.kind(), entry.data())));
                configuration = core.members();
            }
            history.add(new SnapshotMeta(entry.index(), entry.term(), configuration));
        }
    }

    // Deliveries; each says what the reference's error would be, or nothing

    String deliver(Wire wire) {
        return switch (wire) {
            case Wire.Net(Message message) when message.from() == id && message.to() == id -> deliverOwn(message);
            case Wire.Net(Message message) -> {
                boolean lost = step(new Input.Received(message)) && message instanceof Message.Propose;
                yield unknownPeer ? "raft: cannot step as peer not found" : lost ? "raft proposal dropped" : "";
            }
            case Wire.Appended appended -> {
                onAppended(appended);
                yield "";
            }
            case Wire.Applied(long to, List<Entry> entries) -> {
                onApplied(entries);
                yield "";
            }
        };
    }

    /** The reference's node hears of its own vote and log by messages; the core by its tickets. */
    String deliverOwn(Message message) {
        Long ticket = ticketOfOwn.remove(message);
        if (async && !core.configuration().isMember(id)) {
            acknowledgeWritten(0);
            return "raft: cannot step as peer not found";
        }
        if (message.term() < core.term()) {
            log.accept(LogLine.stale(id, message, core.term()));
        } else if (ticket != null) {
            if (core.isLeader() && !core.configuration().isMember(id)) {
                log.accept(new LogLine(LogLine.Level.DEBUG,
                        "%x no progress available for %x".formatted(id, id)));
            }
            acknowledge(ticket);
        } else if (core.role() == RaftCore.Role.PRE_CANDIDATE) {
            ownPreVotes.getOrDefault(message, List.of()).forEach(event -> LogLine.of(id, event).forEach(log));
        }
        acknowledgeWritten(0);
        return "";
    }

    private void onAppended(Wire.Appended appended) {
        if (appended.index() != 0) {
            if (appended.term() < core.term()) {
                log.accept(info("%x [term: %d] ignored entry appends from a MsgStorageAppendResp message with lower "
                        + "term [term: %d]", id, core.term(), appended.term()));
            } else {
                stableTo(appended.index(), appended.logTerm());
            }
        }
        acknowledgeWritten(appended.ticket());
        if (appended.snapshot() != null) {
            long index = appended.snapshot().index();
            if (unstableSnapshot != null && unstableSnapshot.index() == index) {
                unstableSnapshot = null;
                snapshotInProgress = false;
            }
            applying = Math.max(applying, index);
            if (committedByCore >= index) {
                step(new Input.Applied(index));
            }
        }
    }

    /** The storage is done. Whoever has messages to itself hears of it by them; else at once. */
    void written(AppendWork work) {
        if (work.responses().stream().noneMatch(response -> response.to() == id)) {
            acknowledgeWritten(work.ticket());
        }
    }

    /** As far as the storage is done, but not beyond what the reference's node has not heard of. */
    void acknowledgeWritten(long ticket) {
        writtenTicket = Math.max(writtenTicket, ticket);
        acknowledge(ticketOfOwn.values().stream().mapToLong(own -> own - 1).reduce(writtenTicket, Math::min));
    }

    /** One by one, as the reference hears of each append. */
    private void acknowledge(long ticket) {
        while (ackedTicket < ticket) {
            step(new Input.Persisted(++ackedTicket));
        }
    }

    void onApplied(List<Entry> entries) {
        if (entries.isEmpty()) {
            return;
        }
        long index = entries.getLast().index();
        Invariant.check(committedByCore >= index, "applied %d, the core has committed %d", index, committedByCore);
        applyingBytes = Math.max(0, applyingBytes - bytes(entries));
        applyingPaused = applyingBytes >= committedBytesMax;
        step(new Input.Applied(index));
    }
}
