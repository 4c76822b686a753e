package dev.quoin.member.watch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Damaged;
import dev.quoin.store.KeyRange;

/**
 * The watchers of one stream. Belongs to its hub's thread.
 *
 * <p>Everything that the stream says leaves from that thread, in one order. Watchers that have fallen behind, or begin in
 * the past, catch up in turns, one slice at a time: it is looked for elsewhere, where one may wait, and sent here. A large
 * one is sent from elsewhere too, and meanwhile nothing else is: what is due to watchers then, they fall behind with; what
 * has to be answered waits.
 *
 * <p>Source of what is answered when: etcd's api/v3rpc/watch.go and storage/mvcc/watcher.go.
 */
public final class WatchStream {
    private static final String COMPACTED = "etcdserver: mvcc: required revision has been compacted";
    private static final String EMPTY_RANGE = "mvcc: watcher range is empty";
    private static final String DUPLICATE_ID = "mvcc: duplicate watch ID provided on the WatchStream";
    /** What a message has beside its events, more or less. */
    private static final int HEAD_BYTES = 128;
    private static final long NOT_ASKED = 0;

    private final WatchHub hub;
    private final WatchOutlet outlet;
    private final int watchersMax;
    private final long partBytesMax;
    private final long progressNanos;
    private final Map<Long, Watcher> watchers = new LinkedHashMap<>();
    private final Deque<Watcher> behind = new ArrayDeque<>();
    /** What has to be said and has no room yet. */
    private final Deque<WatchMessage> waiting = new ArrayDeque<>();
    private long nextId;
    /** Somebody looks for a slice. */
    private boolean isLooking;
    private boolean isSendingLong;
    private boolean isClosed;
    /** Watchers that do not want to be told of progress are not counted. */
    private int notifiedCount;
    private long progressAtNanos;
    /** The revision that has to be reached before progress is answered that was asked for. */
    private long progressAsked = NOT_ASKED;

    WatchStream(WatchHub hub, WatchOutlet outlet, int watchersMax, long partBytesMax, long progressNanos,
            long nowNanos) {
        this.hub = hub;
        this.outlet = outlet;
        this.watchersMax = watchersMax;
        this.partBytesMax = partBytesMax;
        this.progressNanos = progressNanos;
        this.progressAtNanos = nowNanos + progressNanos;
    }

    // ---- what the client asks for

    /**
     * A new watcher, or a refusal.
     *
     * @param start the first revision to tell; 0 for what comes after now
     * @param id the client's choice; 0 leaves it to the stream
     */
    public void create(KeyRange range, long start, long id, WatchOptions options) {
        String reason = refusal(range, start, id);
        if (reason != null) {
            refuse(reason);
            return;
        }
        KeyRange kept = new KeyRange(range.key().compact(), range.rangeEnd().compact());
        if (!hub.budget().take(Watcher.cost(kept))) {
            refuse("quoin: the watchers of this server take the " + hub.budget().bytesMax()
                    + " bytes that they may take; cancel some, or give the server more memory");
            return;
        }
        hub.added();
        long revision = hub.view().revision();
        Watcher watcher = new Watcher(this, id == 0 ? freeId() : id, kept, options, start,
                start == 0 ? revision + 1 : start);
        watchers.put(watcher.id, watcher);
        if (options.progressNotify()) {
            notifiedCount++;
            hub.wantsTicks(this, true);
        }
        say(WatchMessage.created(watcher.id, revision));
        settle(watcher);
        advance();
    }

    private @Nullable String refusal(KeyRange range, long start, long id) {
        if (start < 0) {
            return COMPACTED;
        }
        if (!range.isSingle() && !range.isUnbounded() && range.key().compareTo(range.rangeEnd()) >= 0) {
            return EMPTY_RANGE;
        }
        if (watchers.size() >= watchersMax) {
            return "quoin: a stream may have " + watchersMax + " watchers; open another";
        }
        return id != 0 && watchers.containsKey(id) ? DUPLICATE_ID : null;
    }

    private long freeId() {
        while (watchers.containsKey(nextId)) {
            nextId++;
        }
        return nextId++;
    }

    /** Says that a watcher is not made, and why. */
    public void refuse(String reason) {
        say(WatchMessage.refused(hub.view().revision(), reason));
    }

    /** One that is not known is passed over. */
    public void cancel(long id) {
        Watcher watcher = watchers.get(id);
        if (watcher != null) {
            remove(watcher);
            say(WatchMessage.canceled(id, hub.view().revision(), ""));
            answerProgress();
        }
    }

    /**
     * How far the stream is: told as soon as all of its watchers have been told everything up to now, with one message for
     * all that was asked meanwhile. Nothing if one of them begins in the future. etcd says nothing at all if that is not so
     * at once.
     */
    public void requestProgress() {
        if (!watchers.isEmpty()) {
            progressAsked = hub.view().revision();
            answerProgress();
        }
    }

    /** There may be room again. */
    public void roomMade() {
        while (!waiting.isEmpty() && !isSendingLong && outlet.hasRoom()) {
            outlet.send(waiting.remove());
        }
        answerProgress();
        advance();
    }

    /** How many answers wait for room: who gives the stream requests should wait, too. */
    public int waitingCount() {
        return waiting.size();
    }

    public int watcherCount() {
        return watchers.size();
    }

    /** Nobody hears any more. */
    public void close() {
        isClosed = true;
        behind.clear();
        List.copyOf(watchers.values()).forEach(this::remove);
        waiting.clear();
        progressAsked = NOT_ASKED;
    }

    private void remove(Watcher watcher) {
        watcher.isGone = true;
        watchers.remove(watcher.id);
        behind.remove(watcher);
        hub.removed(watcher);
        hub.budget().give(Watcher.cost(watcher.range));
        if (watcher.options.progressNotify() && --notifiedCount == 0) {
            hub.wantsTicks(this, false);
        }
    }

    // ---- what is said

    /** Whether something may be sent now. */
    boolean isReady() {
        return !isClosed && !isSendingLong && waiting.isEmpty() && outlet.hasRoom();
    }

    private void say(WatchMessage message) {
        if (isReady()) {
            outlet.send(message);
        } else if (!isClosed) {
            waiting.add(message);
        }
    }

    /** News of a watcher in step. */
    void tell(Watcher watcher, long revision, WatchEvents.Whole events) {
        watcher.isNew = false;
        watcher.isQuiet = false;
        outlet.send(WatchMessage.events(watcher.id, revision, events, false));
    }

    /** A record that a watcher should be told is lost. */
    void lost(Watcher watcher, Damaged why) {
        end(watcher, WatchMessage.canceled(watcher.id, hub.view().revision(), "quoin: " + why.getMessage()));
    }

    private void end(Watcher watcher, WatchMessage why) {
        remove(watcher);
        say(why);
        answerProgress();
    }

    // ---- progress

    /** Tells how far the stream is, if that was asked for and can be said. */
    void answerProgress() {
        if (progressAsked == NOT_ASKED || isClosed) {
            return;
        }
        if (watchers.isEmpty()) {
            progressAsked = NOT_ASKED;
            return;
        }
        if (hub.isDelivering() || hub.position() < progressAsked) {
            hub.ask(this);
            return;
        }
        if (watchers.values().stream().anyMatch(watcher -> watcher.start > hub.position())) {
            // One waits for the future: there is no answer to be had for long. Nor is there in etcd.
            progressAsked = NOT_ASKED;
            return;
        }
        if (!isReady() || !watchers.values().stream().allMatch(this::isInStep)) {
            // Asked again when there is room, when one has caught up, and with the next news.
            hub.ask(this);
            return;
        }
        progressAsked = NOT_ASKED;
        outlet.send(WatchMessage.progress(WatchMessage.NOBODY, hub.position()));
    }

    /** Whether it has been told everything up to the hub's position, and nothing beyond, and has begun by then. */
    private boolean isInStep(Watcher watcher) {
        return watcher.node != null && watcher.next <= hub.position() + 1 && watcher.start <= hub.position();
    }

    void tick(long nowNanos) {
        if (nowNanos - progressAtNanos < 0 || !isReady()) {
            return;
        }
        progressAtNanos = nowNanos + progressNanos;
        for (Watcher watcher : watchers.values()) {
            if (!watcher.options.progressNotify()) {
                continue;
            }
            if (watcher.isQuiet && isInStep(watcher)) {
                outlet.send(WatchMessage.progress(watcher.id, hub.position()));
            }
            watcher.isQuiet = true;
        }
    }

    // ---- catching up

    /** One more has fallen behind. */
    void fellBehind(Watcher watcher) {
        behind.add(watcher);
        advance();
    }

    /** Looks for the next slice of whoever has waited for longest, if there is room for one. */
    private void advance() {
        if (isLooking || behind.isEmpty() || !isReady()) {
            return;
        }
        isLooking = true;
        Watcher watcher = behind.remove();
        CatchUp.Wanted wanted = watcher.wanted();
        hub.host().work(() -> look(watcher, wanted));
    }

    /** Elsewhere. */
    private void look(Watcher watcher, CatchUp.Wanted wanted) {
        try {
            CatchUp.Slice slice = hub.catchUp().slice(wanted);
            hub.host().execute(() -> found(watcher, slice));
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException broken) {
            hub.host().execute(() -> outlet.failed(broken));
        }
    }

    private void found(Watcher watcher, CatchUp.Slice slice) {
        isLooking = false;
        if (isClosed) {
            return;
        }
        if (!watcher.isGone) {
            switch (slice) {
                case CatchUp.Slice.Compacted(long revision) ->
                    end(watcher, WatchMessage.compacted(watcher.id, revision));
                case CatchUp.Slice.Lost(Damaged why) -> lost(watcher, why);
                case CatchUp.Slice.Told(WatchEvents events, long next, long revision) ->
                    take(watcher, events, next, revision);
            }
        }
        answerProgress();
        advance();
    }

    private void take(Watcher watcher, WatchEvents events, long next, long revision) {
        watcher.next = next;
        watcher.isNew = false;
        if (events.count() > 0) {
            watcher.isQuiet = false;
            if (!(events instanceof WatchEvents.Whole) || events.bytes() > hub.limits().liveMessageBytesMax()) {
                sendLong(watcher, events, revision);
                return;
            }
            outlet.send(WatchMessage.events(watcher.id, revision, events, false));
        }
        settle(watcher);
    }

    private void sendLong(Watcher watcher, WatchEvents events, long revision) {
        List<WatchMessage> messages = new ArrayList<>();
        boolean isCut = watcher.options.fragment() && events.bytes() + HEAD_BYTES >= partBytesMax && events.count() > 1;
        List<WatchEvents> parts = isCut ? events.parts(partBytesMax - HEAD_BYTES) : List.of(events);
        for (int at = 0; at < parts.size(); at++) {
            messages.add(WatchMessage.events(watcher.id, revision, parts.get(at), at + 1 < parts.size()));
        }
        isSendingLong = true;
        outlet.sendLong(messages, () -> {
            isSendingLong = false;
            if (!isClosed) {
                if (!watcher.isGone) {
                    settle(watcher);
                }
                roomMade();
            }
        });
    }

    /** Whoever needs nothing that was told already comes into step; the others catch up. */
    private void settle(Watcher watcher) {
        long horizon = hub.horizon();
        if (watcher.next <= horizon && !watcher.isNew && horizon - watcher.next < hub.limits().nearRevisionsMax()
                && isReady()) {
            takeNear(watcher, horizon);
        }
        if (watcher.isGone) {
            return;
        }
        if (watcher.next > horizon) {
            hub.enter(watcher);
        } else {
            behind.add(watcher);
        }
    }

    /** The little that is missing is in the feed: brought here and now, so that nobody is chased by new changes for ever. */
    private void takeNear(Watcher watcher, long horizon) {
        CatchUp.Slice slice;
        try {
            slice = hub.catchUp().near(watcher.wanted(), horizon);
        } catch (Damaged why) {
            lost(watcher, why);
            return;
        }
        if (slice instanceof CatchUp.Slice.Told(WatchEvents.Whole events, long next, long revision)
                && events.bytes() <= hub.limits().liveMessageBytesMax()) {
            watcher.next = next;
            if (events.count() > 0) {
                watcher.isQuiet = false;
                outlet.send(WatchMessage.events(watcher.id, revision, events, false));
            }
        }
    }
}
