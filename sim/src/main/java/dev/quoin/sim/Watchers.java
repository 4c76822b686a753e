package dev.quoin.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.member.watch.KeyChange;
import dev.quoin.member.watch.WatchBudget;
import dev.quoin.member.watch.WatchEvents;
import dev.quoin.member.watch.WatchHost;
import dev.quoin.member.watch.WatchHub;
import dev.quoin.member.watch.WatchMessage;
import dev.quoin.member.watch.WatchOptions;
import dev.quoin.member.watch.WatchOutlet;
import dev.quoin.member.watch.WatchStream;
import dev.quoin.store.KeyRange;

/**
 * Clients that watch keys: each has a few watchers on one stream to some member, takes what it is sent at its own pace, or
 * for a while not at all, loses the stream, and goes on at another member where it was. They judge every message by the
 * order of the log: all that happened in the range, in order, once, whole revisions; progress only beyond what was told;
 * an end only by a compaction. Once all is well, everything must have been told.
 */
final class Watchers {
    private static final long MICRO = 1_000;
    private static final long MILLI = 1_000 * MICRO;
    private static final long SECOND = 1_000 * MILLI;
    private static final int WATCHERS_MAX = 6;
    private static final long BUDGET_BYTES = 1 << 20;
    private static final long NOTHING = -1;

    private final Simulation simulation;
    private final Dials dials;
    private final List<Client> clients = new ArrayList<>();
    /** Nobody stalls any more. */
    private boolean isHealed;

    Watchers(Simulation simulation, Dials dials) {
        this.simulation = simulation;
        this.dials = dials;
    }

    void begin() {
        for (int number = 0; number < dials.watchers(); number++) {
            Client client = new Client(number);
            clients.add(client);
            client.later();
        }
    }

    /** The hub of a member's life, on its event loop. */
    WatchHub hub(Host host, Life life) {
        return life.member().watches().hub(new WatchHost() {
            @Override
            public void execute(Runnable task) {
                simulation.time().after(simulation.chance().below(200 * MICRO) * host.slowness,
                        () -> onHost(host, life, task));
            }

            @Override
            public void work(Runnable task) {
                simulation.time().after(simulation.chance().around(MILLI) * host.slowness,
                        () -> onHost(host, life, task));
            }
        }, new WatchBudget(BUDGET_BYTES));
    }

    private void onHost(Host host, Life life, Runnable task) {
        if (host.life != life) {
            return;
        }
        if (host.isPaused) {
            host.held.add(() -> {
                if (host.life == life) {
                    task.run();
                }
            });
        } else {
            simulation.inside(host, "watch", task);
        }
    }

    /** From now on everybody takes what they are sent, and keeps to members that are well. */
    void heal() {
        isHealed = true;
    }

    /** Who watches at one of these members and has not been told yet what was due at this revision; null if all have. */
    @Nullable
    String notTold(List<Host> core, long revision) {
        for (Client client : clients) {
            Connection connection = client.connection;
            if (connection == null || connection.host.life != connection.life || !core.contains(connection.host)) {
                continue;
            }
            for (Watched watcher : client.watched) {
                if (watcher.isStarted && watcher.firstDue(revision) != NOTHING) {
                    return watcher + " at " + connection.host + " of revision " + watcher.firstDue(revision);
                }
            }
        }
        return null;
    }

    // ---- what a client knows of a watcher

    private final class Watched {
        private final String name;
        private final String key;
        private final String end;
        private final boolean previous;
        private final boolean noPuts;
        private final boolean noDeletes;
        private final boolean progress;
        private final boolean fragment;
        /** The first revision that it may still be told. */
        private long next;
        /** A change was told, or a revision was agreed on: from {@code next} on everything is due. */
        private boolean isStarted;
        private boolean isCreated;
        /** What it was created with last. */
        private long start;
        private long id;
        private int inParts;

        Watched(String name) {
            this.name = name;
            Chance chance = simulation.chance();
            switch (chance.below(5)) {
                case 0 -> {
                    key = "k" + chance.below(dials.keys());
                    end = "";
                }
                case 1 -> {
                    key = "\0";
                    end = "\0";
                }
                case 2 -> {
                    key = "k" + chance.below(dials.keys());
                    end = "\0";
                }
                default -> {
                    key = "k" + chance.below(dials.keys());
                    end = key + "~";
                }
            }
            previous = chance.nextBoolean();
            noPuts = chance.oneIn(8);
            noDeletes = chance.oneIn(8);
            progress = chance.nextBoolean();
            fragment = chance.nextBoolean();
        }

        WatchOptions options() {
            return new WatchOptions(progress, previous, noPuts, noDeletes, fragment);
        }

        boolean isDue(Model.Changed change) {
            boolean isInRange = end.isEmpty()
                    ? change.key().equals(key)
                    : change.key().compareTo(key) >= 0 && (end.equals("\0") || change.key().compareTo(end) < 0);
            return isInRange && !(change.kv() == null ? noDeletes : noPuts);
        }

        /** The first revision up to this one that is due; {@link #NOTHING} if there is none. */
        long firstDue(long upTo) {
            Model model = simulation.model();
            for (int at = model.firstChange(next); at < model.changeCount(); at++) {
                Model.Changed change = model.changeAt(at);
                if (change.revision() > upTo) {
                    return NOTHING;
                }
                if (isDue(change)) {
                    return change.revision();
                }
            }
            return NOTHING;
        }

        @Override
        public String toString() {
            return name + " of " + key + (end.isEmpty() ? "" : " to " + (end.equals("\0") ? "the end" : end)) + " from "
                    + next;
        }
    }

    // ---- a stream

    /** A stream to a life of a member: what is on its way to the client, and how much of it the client has not taken. */
    private final class Connection implements WatchOutlet {
        private final Client client;
        private final Host host;
        private final Life life;
        private final int roomFor;
        private final Deque<WatchMessage> underWay = new ArrayDeque<>();
        private final WatchStream stream;
        private boolean isLong;
        private boolean isOver;
        private boolean isTaking;

        Connection(Client client, Host host, Life life) {
            this.client = client;
            this.host = host;
            this.life = life;
            roomFor = (int) simulation.chance().between(1, 12);
            stream = life.hub(Watchers.this).open(this, WATCHERS_MAX, 600, simulation.chance().between(1, 20) * SECOND,
                    host.clock.nanos());
        }

        /** What the client does, as the member comes to see it. */
        void ask(Runnable request) {
            simulation.time().after(simulation.chance().around(dials.hopNanos()), () -> onHost(host, life, () -> {
                if (!isOver) {
                    request.run();
                }
            }));
        }

        @Override
        public boolean hasRoom() {
            return underWay.size() < roomFor;
        }

        @Override
        public void send(WatchMessage message) {
            Violation.check(!isLong, "%s: a message in the middle of another", host);
            boolean isAnswer = message.created() || message.reason().isEmpty(); // to a client that cancels
            if (message.canceled() && !isAnswer && message.compactRevision() == 0) {
                // A record is lost. The member may be well again, or another process, when the client hears of it.
                Violation.check(host.isRotten || host.expectsDiskFailure, "%s ends watcher %d: %s", host,
                        message.watchId(),
                        message.reason());
            }
            arrive(message);
        }

        private void arrive(WatchMessage message) {
            underWay.add(message);
            take();
        }

        @Override
        public void sendLong(List<WatchMessage> messages, Runnable sent) {
            Violation.check(!isLong, "%s: a message in the middle of another", host);
            isLong = true;
            simulation.tally().count("long watch messages");
            simulation.time().after(simulation.chance().around(20 * MILLI), () -> onHost(host, life, () -> {
                try {
                    for (WatchMessage message : messages) {
                        arrive(new WatchMessage(message.watchId(), message.revision(), false, false, 0, "",
                                message.isPart(), atHand(message.events())));
                    }
                } catch (Gone compacted) {
                    lose("it was compacted while it was sent");
                    return;
                } catch (Damaged damaged) {
                    simulation.excuse(host, damaged);
                    lose("it is damaged");
                    return;
                }
                simulation.time().after(simulation.chance().around(MILLI), () -> onHost(host, life, () -> {
                    isLong = false;
                    sent.run();
                }));
            }));
        }

        @Override
        public void failed(RuntimeException why) {
            throw why;
        }

        /** The client takes the next message, when it gets to it. */
        private void take() {
            if (isTaking || isOver) {
                return;
            }
            isTaking = true;
            Chance chance = simulation.chance();
            long pause = !isHealed && chance.oneIn(40) ? chance.below(20 * SECOND) : chance.around(dials.hopNanos());
            simulation.time().after(pause, () -> {
                isTaking = false;
                WatchMessage message = underWay.poll();
                if (message == null || isOver) {
                    return;
                }
                client.hear(this, message);
                if (!underWay.isEmpty()) {
                    take();
                }
                ask(stream::roomMade);
            });
        }

        /** The stream is gone, for both. */
        void lose(String why) {
            if (!isOver) {
                isOver = true;
                simulation.note(host, "loses a stream of watchers:", why);
                onHost(host, life, stream::close);
                client.connection = client.connection == this ? null : client.connection;
            }
        }
    }

    private static WatchEvents atHand(WatchEvents events) {
        byte[] all = new byte[Math.toIntExact(events.bytes())];
        int[] at = {0};
        events.writeTo((bytes, offset, length) -> {
            System.arraycopy(bytes, offset, all, at[0], length);
            at[0] += length;
            return true;
        });
        Violation.check(at[0] == all.length, "a message of %d bytes has %d", all.length, at[0]);
        return new WatchEvents.Whole(List.of(Bytes.of(all)), events.count(), all.length);
    }

    // ---- a client

    private final class Client {
        private final int number;
        private final List<Watched> watched = new ArrayList<>();
        private @Nullable Connection connection;
        private int named;

        Client(int number) {
            this.number = number;
        }

        void later() {
            simulation.time().after(simulation.chance().around(isHealed ? SECOND : 3 * SECOND), this::act);
        }

        private void act() {
            Connection now = connection;
            if (now != null && now.host.life != now.life) {
                now.lose("the member is gone");
                now = null;
            }
            Chance chance = simulation.chance();
            if (now == null) {
                connect();
            } else if (!isHealed && chance.oneIn(15)) {
                now.lose("the client goes elsewhere");
            } else if (!isHealed && chance.oneIn(6)) {
                another(now);
            } else if (chance.oneIn(3)) {
                now.ask(now.stream::requestProgress);
            }
            later();
        }

        private void connect() {
            List<Host> up = SimNetwork.up(simulation.hosts());
            if (up.isEmpty()) {
                return;
            }
            Host host = simulation.chance().one(up);
            Life life = host.life;
            if (life == null || host.isPaused) {
                return;
            }
            Connection fresh = new Connection(this, host, life);
            connection = fresh;
            if (watched.isEmpty()) {
                watched.add(new Watched("watcher " + number + "." + named++));
            }
            watched.forEach(watcher -> create(fresh, watcher));
        }

        /** One more watcher, or one less. */
        private void another(Connection now) {
            if (watched.size() < WATCHERS_MAX - 2) {
                Watched watcher = new Watched("watcher " + number + "." + named++);
                watched.add(watcher);
                create(now, watcher);
            } else {
                Watched watcher = watched.removeFirst();
                now.ask(() -> now.stream.cancel(watcher.id));
            }
        }

        private void create(Connection to, Watched watcher) {
            watcher.isCreated = false;
            watcher.inParts = 0;
            watcher.id = 1L + named++;
            Chance chance = simulation.chance();
            if (!watcher.isStarted && chance.oneIn(3)) {
                // Somewhere around now, the future included.
                watcher.next = Math.max(1, simulation.model().revision() + 4 - chance.below(40));
                watcher.isStarted = true;
            } else if (watcher.isStarted) {
                simulation.tally().count("watch resumptions");
            }
            long start = watcher.isStarted ? watcher.next : 0;
            watcher.start = start;
            KeyRange range = new KeyRange(Bytes.utf8(watcher.key), Bytes.utf8(watcher.end));
            to.ask(() -> to.stream.create(range, start, watcher.id, watcher.options()));
        }

        // ---- what it is told

        void hear(Connection from, WatchMessage message) {
            if (message.watchId() == WatchMessage.NOBODY) {
                Violation.check(!message.created(), "%s refuses a watcher: %s", from.host, message.reason());
                simulation.tally().count("watch progress");
                watched.stream().filter(watcher -> watcher.isCreated)
                        .forEach(watcher -> progress(from, watcher, message.revision()));
                return;
            }
            Watched watcher = watched.stream().filter(one -> one.id == message.watchId()).findFirst().orElse(null);
            if (watcher == null) {
                // Of one that was cancelled.
                return;
            }
            if (message.created()) {
                created(from, watcher, message);
            } else if (message.canceled()) {
                ended(from, watcher, message);
            } else if (message.events().count() == 0) {
                simulation.tally().count("watch progress");
                progress(from, watcher, message.revision());
            } else {
                events(from, watcher, message);
            }
        }

        private void created(Connection from, Watched watcher, WatchMessage message) {
            Violation.check(!watcher.isCreated, "%s: %s is created twice", from.host, watcher);
            watcher.isCreated = true;
            if (!watcher.isStarted) {
                watcher.isStarted = true;
                watcher.next = message.revision() + 1;
            }
        }

        private void ended(Connection from, Watched watcher, WatchMessage message) {
            if (message.compactRevision() == 0) {
                // A record is lost: judged when the member said so.
                Violation.check(!message.reason().isEmpty(), "%s ends %s without a reason", from.host, watcher);
            } else {
                Violation.check(watcher.next < message.compactRevision()
                        && message.compactRevision() <= simulation.model().compacted(),
                        "%s ends %s, as it was compacted to %d; the log says %d", from.host, watcher,
                        message.compactRevision(), simulation.model().compacted());
                simulation.tally().count("watchers compacted");
            }
            watched.remove(watcher);
        }

        private void progress(Connection from, Watched watcher, long revision) {
            Violation.check(watcher.isCreated, "%s: progress of %s before it is created", from.host, watcher);
            long due = watcher.firstDue(revision);
            Violation.check(due == NOTHING, "%s says that it is at %d, and has not told %s of %d", from.host, revision,
                    watcher, due);
            Violation.check(watcher.next <= revision + 1 && watcher.start <= revision,
                    "%s says that it is at %d, to %s", from.host, revision, watcher);
            watcher.next = revision + 1;
        }

        private void events(Connection from, Watched watcher, WatchMessage message) {
            Violation.check(watcher.isCreated, "%s: news for %s before it is created", from.host, watcher);
            Model model = simulation.model();
            int at = model.firstChange(watcher.next);
            int skip = watcher.inParts;
            long last = 0;
            for (KeyChange told : ((WatchEvents.Whole) message.events()).changes()) {
                while (at < model.changeCount() && (!watcher.isDue(model.changeAt(at)) || skip > 0)) {
                    skip -= watcher.isDue(model.changeAt(at)) ? 1 : 0;
                    at++;
                }
                Violation.check(at < model.changeCount(), "%s tells %s of revision %d, and nothing was due", from.host,
                        watcher, told.revision());
                Model.Changed change = model.changeAt(at);
                check(from, watcher, told, change);
                last = change.revision();
                at++;
                watcher.inParts++;
            }
            Violation.check(message.revision() >= last, "%s: news of %d under revision %d", from.host, last,
                    message.revision());
            simulation.tally().count("watch messages");
            if (message.isPart()) {
                Violation.check(watcher.fragment, "%s: part of a message for %s", from.host, watcher);
                return;
            }
            while (at < model.changeCount() && !watcher.isDue(model.changeAt(at))) {
                at++;
            }
            Violation.check(at == model.changeCount() || model.changeAt(at).revision() > last,
                    "%s tells %s a part of revision %d", from.host, watcher, last);
            watcher.inParts = 0;
            watcher.next = last + 1;
        }

        private void check(Connection from, Watched watcher, KeyChange told, Model.Changed change) {
            Kv kv = told.isDeletion() ? null : Kv.read(told.keyValue());
            boolean isIt = told.revision() == change.revision() && told.key().toUtf8().equals(change.key())
                    && Objects.equals(kv, change.kv());
            Violation.check(isIt, "%s tells %s: %s; it must be %s", from.host, watcher, told, change);
            boolean isCreation = change.kv() != null && change.kv().created() == change.revision();
            Kv before = !watcher.previous || isCreation ? null : change.before();
            Kv previous = told.previous().isEmpty() ? null : Kv.read(told.previous());
            boolean mayBeMissing = change.revision() - 1 < simulation.model().compacted();
            Violation.check(Objects.equals(previous, before) || (previous == null && mayBeMissing),
                    "%s tells %s of revision %d, before which was %s; it must be %s", from.host, watcher,
                    told.revision(), previous, before);
        }
    }
}
