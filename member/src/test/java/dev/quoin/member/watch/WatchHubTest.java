package dev.quoin.member.watch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.store.Command;
import dev.quoin.store.KeyRange;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Watchers of a store that is changed and compacted, on streams that stall and resume, in any order of what threads could
 * do: each must be told exactly what happened, in order, once. A failure says the seed.
 */
class WatchHubTest {
    private static final WatchLimits TINY = new WatchLimits(3_000, 300, 150, 4, 400, 6, 2, 3, 3, 5, 3);

    /** The hub's thread and the others, given their turns by hand. */
    static final class Hands implements WatchHost {
        final Deque<Runnable> loop = new ArrayDeque<>();
        final List<Runnable> elsewhere = new ArrayList<>();

        @Override
        public void execute(Runnable task) {
            loop.add(task);
        }

        @Override
        public void work(Runnable task) {
            elsewhere.add(task);
        }

        boolean isIdle() {
            return loop.isEmpty() && elsewhere.isEmpty();
        }

        void settle() {
            while (!isIdle()) {
                if (!loop.isEmpty()) {
                    loop.remove().run();
                } else {
                    elsewhere.removeFirst().run();
                }
            }
        }
    }

    /** Holds every message that a stream is sent. */
    static final class Heard implements WatchOutlet {
        final Hands hands;
        final Deque<WatchMessage> messages = new ArrayDeque<>();
        boolean hasRoom = true;
        boolean isLong;
        boolean isCutShort;

        Heard(Hands hands) {
            this.hands = hands;
        }

        @Override
        public boolean hasRoom() {
            return hasRoom;
        }

        @Override
        public void send(WatchMessage message) {
            assertThat(isLong).as("a message in the middle of another").isFalse();
            assertThat(message.events()).isInstanceOf(WatchEvents.Whole.class);
            messages.add(message);
        }

        @Override
        public void sendLong(List<WatchMessage> parts, Runnable sent) {
            assertThat(isLong).as("a message in the middle of another").isFalse();
            isLong = true;
            hands.work(() -> {
                try {
                    for (WatchMessage part : parts) {
                        messages.add(WatchMessage.events(part.watchId(), part.revision(),
                                new WatchEvents.Whole(List.of(joined(part.events())), part.events().count(),
                                        part.events().bytes()),
                                part.isPart()));
                    }
                } catch (WatchedStore.Forgotten compacted) {
                    // As in the server: the client finds the stream ended, and comes back.
                    isCutShort = true;
                    return;
                }
                hands.execute(() -> {
                    isLong = false;
                    sent.run();
                });
            });
        }

        @Override
        public void failed(RuntimeException why) {
            throw why;
        }
    }

    private static Bytes joined(WatchEvents events) {
        byte[] joined = new byte[(int) events.bytes()];
        int[] at = {0};
        events.writeTo((bytes, offset, length) -> {
            System.arraycopy(bytes, offset, joined, at[0], length);
            at[0] += length;
            return true;
        });
        assertThat(at[0]).as("the length that was announced").isEqualTo(joined.length);
        return Bytes.of(joined);
    }

    static List<KeyChange> changes(WatchEvents events) {
        return new WatchEvents.Whole(List.of(joined(events)), events.count(), events.bytes()).changes();
    }

    @Test
    void everyWatcherIsToldEverythingOnceInOrder() {
        for (long seed = 1; seed <= 1_500; seed++) {
            try {
                new World(seed).run();
            } catch (AssertionError | RuntimeException failure) {
                throw new AssertionError("seed " + seed + ": " + failure.getMessage(), failure);
            }
        }
    }

    /** What a client knows of one of its watchers. */
    private static final class Expected {
        final KeyRange range;
        final WatchOptions options;
        final long start;
        /** The first revision that it may still be told. */
        long next;
        boolean isCreated;
        /** What was told since, in parts of a message that is not complete. */
        int inParts;

        Expected(KeyRange range, WatchOptions options, long start, long now) {
            this.range = range;
            this.options = options;
            this.start = start;
            this.next = start == 0 ? now + 1 : start;
        }
    }

    private static final class Client {
        final WatchStream stream;
        final Heard heard;
        final Map<Long, Expected> watchers = new LinkedHashMap<>();
        long ids = 100;

        Client(WatchStream stream, Heard heard) {
            this.stream = stream;
            this.heard = heard;
        }
    }

    private static final class World {
        final Random random;
        final WatchedStore store = new WatchedStore(TINY);
        final Hands hands = new Hands();
        final WatchHub hub = store.watches.hub(hands, new WatchBudget(1 << 20));
        final List<Client> clients = new ArrayList<>();
        long now;

        World(long seed) {
            random = new Random(seed);
        }

        void run() {
            int steps = 150 + random.nextInt(200);
            for (int step = 0; step < steps; step++) {
                act();
                clients.forEach(this::hear);
                clients.removeIf(World::isCutShort);
            }
            clients.forEach(client -> client.heard.hasRoom = true);
            clients.forEach(client -> client.stream.roomMade());
            hands.settle();
            clients.forEach(this::hear);
            clients.removeIf(World::isCutShort);
            for (Client client : clients) {
                client.stream.requestProgress();
                hands.settle();
                hear(client);
                for (Expected watcher : client.watchers.values()) {
                    assertThat(rest(watcher, Long.MAX_VALUE)).as("never told").isEmpty();
                }
            }
            clients.forEach(client -> client.stream.close());
            assertThat(store.watches.feed().heldBytes()).isLessThanOrEqualTo(TINY.feedBytesMax());
        }

        static boolean isCutShort(Client client) {
            if (client.heard.isCutShort) {
                client.stream.close();
            }
            return client.heard.isCutShort;
        }

        void act() {
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> write();
                case 3 -> create();
                case 4 -> stall();
                case 5, 6, 7 -> {
                    if (!hands.loop.isEmpty()) {
                        hands.loop.remove().run();
                    }
                }
                case 8, 9 -> {
                    if (!hands.elsewhere.isEmpty()) {
                        hands.elsewhere.remove(random.nextInt(hands.elsewhere.size())).run();
                    }
                }
                case 10 -> rare();
                default -> {
                    now += 10;
                    hub.tick(now);
                }
            }
        }

        void rare() {
            switch (random.nextInt(9)) {
                case 8 -> {
                    if (random.nextInt(4) == 0) {
                        store.install(random.nextBoolean() ? List.of() : commands());
                    }
                }
                case 0, 1 -> {
                    if (random.nextInt(3) == 0 && store.revision() > 3) {
                        store.compact(store.revision() - random.nextInt(3));
                    }
                }
                case 2 -> clients.stream().findAny().ifPresent(client -> client.stream.requestProgress());
                case 3 -> {
                    if (!clients.isEmpty()) {
                        Client client = clients.get(random.nextInt(clients.size()));
                        client.watchers.keySet().stream().findFirst().ifPresent(client.stream::cancel);
                    }
                }
                case 4 -> {
                    if (clients.size() > 3) {
                        clients.removeFirst().stream.close();
                    }
                }
                case 5 -> hands.settle();
                default -> {
                    for (int i = 0; i < 8; i++) {
                        write();
                    }
                }
            }
        }

        void stall() {
            if (!clients.isEmpty()) {
                Client client = clients.get(random.nextInt(clients.size()));
                client.heard.hasRoom = random.nextBoolean();
                if (client.heard.hasRoom) {
                    client.stream.roomMade();
                }
            }
        }

        String key() {
            return "" + (char) ('a' + random.nextInt(3)) + random.nextInt(4);
        }

        void write() {
            store.apply(commands());
        }

        List<Command> commands() {
            List<Command> batch = new ArrayList<>();
            for (int i = random.nextInt(3); i >= 0; i--) {
                batch.add(switch (random.nextInt(6)) {
                    case 0 -> WatchedStore.delete(key());
                    case 1 -> WatchedStore.deletePrefix("" + (char) ('a' + random.nextInt(3)));
                    case 2 -> WatchedStore.txn(List.of(WatchedStore.put("a" + random.nextInt(2), "t"),
                            WatchedStore.delete("b" + random.nextInt(2)),
                            WatchedStore.put("c" + random.nextInt(2), "x".repeat(random.nextInt(60)))));
                    default -> WatchedStore.put(key(), "v".repeat(random.nextInt(12) == 0 ? 400 : random.nextInt(30)));
                });
            }
            return batch;
        }

        void create() {
            if (clients.size() < 4 && (clients.isEmpty() || random.nextInt(3) == 0)) {
                Heard heard = new Heard(hands);
                clients.add(new Client(hub.open(heard, 20, 500, 30, now), heard));
            }
            Client client = clients.get(random.nextInt(clients.size()));
            KeyRange range = switch (random.nextInt(4)) {
                case 0 -> WatchedStore.key(key());
                case 1 -> KeyRange.everything();
                case 2 -> KeyRange.from(Bytes.utf8("b"));
                default -> WatchedStore.prefix("" + (char) ('a' + random.nextInt(3)));
            };
            WatchOptions options = new WatchOptions(random.nextBoolean(), random.nextBoolean(), random.nextInt(5) == 0,
                    random.nextInt(5) == 0, random.nextBoolean());
            long start = switch (random.nextInt(4)) {
                case 0, 1 -> 0;
                case 2 -> store.revision() + 1 + random.nextInt(5);
                default -> 1 + random.nextInt((int) store.revision());
            };
            long id = client.ids++;
            client.watchers.put(id, new Expected(range, options, start, store.revision()));
            client.stream.create(range, start, id, options);
            if (client.stream.watcherCount() == 0 || client.watchers.size() > 20) {
                client.watchers.remove(id);
            }
        }

        // ---- what clients hear, and what they must hear

        List<WatchedStore.Happened> rest(Expected watcher, long upTo) {
            return store.happened.stream()
                    .filter(one -> one.revision() >= watcher.next && one.revision() <= upTo
                            && watcher.range.contains(Bytes.utf8(one.key()))
                            && watcher.options.wants(one.isDeletion()))
                    .toList();
        }

        void hear(Client client) {
            while (!client.heard.messages.isEmpty()) {
                WatchMessage message = client.heard.messages.remove();
                if (message.watchId() == WatchMessage.NOBODY) {
                    if (!message.created()) {
                        client.watchers.values().forEach(watcher -> progress(watcher, message.revision()));
                    } else {
                        assertThat(message.reason()).contains("20 watchers");
                    }
                    continue;
                }
                Expected watcher = client.watchers.get(message.watchId());
                if (watcher == null) {
                    throw new AssertionError("a message for nobody: " + message);
                }
                hear(client, watcher, message);
            }
        }

        void hear(Client client, Expected watcher, WatchMessage message) {
            if (message.created()) {
                assertThat(watcher.isCreated).isFalse();
                watcher.isCreated = true;
                return;
            }
            assertThat(watcher.isCreated).as("news before the creation").isTrue();
            if (message.canceled()) {
                if (message.compactRevision() != 0) {
                    assertThat(watcher.next).as("ended by a compaction").isLessThan(message.compactRevision());
                }
                client.watchers.remove(message.watchId());
            } else if (message.events().count() == 0) {
                progress(watcher, message.revision());
            } else {
                events(watcher, message);
            }
        }

        void progress(Expected watcher, long revision) {
            assertThat(rest(watcher, revision)).as("not told, and the stream is at " + revision).isEmpty();
            assertThat(watcher.next).as("told of what is after " + revision).isLessThanOrEqualTo(revision + 1);
            assertThat(watcher.start).as("begins after " + revision).isLessThanOrEqualTo(revision);
        }

        void events(Expected watcher, WatchMessage message) {
            List<KeyChange> changes = changes(message.events());
            assertThat(changes).hasSize(message.events().count());
            List<WatchedStore.Happened> all = rest(watcher, Long.MAX_VALUE);
            List<WatchedStore.Happened> rest = all.subList(watcher.inParts, all.size());
            long last = 0;
            for (int at = 0; at < changes.size(); at++) {
                KeyChange told = changes.get(at);
                WatchedStore.Happened is = rest.get(at);
                assertThat(told.revision()).isEqualTo(is.revision());
                assertThat(told.key().toUtf8()).isEqualTo(is.key());
                assertThat(told.isDeletion()).isEqualTo(is.isDeletion());
                if (!is.isDeletion()) {
                    assertThat(told.keyValue()).isEqualTo(is.keyValue());
                }
                previous(watcher, told, is);
                last = told.revision();
            }
            assertThat(message.revision()).isGreaterThanOrEqualTo(last);
            boolean isWhole = rest.size() == changes.size() || rest.get(changes.size()).revision() > last;
            if (message.isPart()) {
                assertThat(watcher.options.fragment()).isTrue();
                watcher.inParts += changes.size();
            } else {
                assertThat(isWhole).as("a part of revision " + last).isTrue();
                watcher.inParts = 0;
                watcher.next = last + 1;
            }
        }

        void previous(Expected watcher, KeyChange told, WatchedStore.Happened is) {
            if (!watcher.options.previous()) {
                assertThat(told.previous()).isEqualTo(Bytes.EMPTY);
            } else if (is.revision() - 1 >= store.view().compactedRevision()) {
                assertThat(told.previous()).isEqualTo(is.previous());
            } else if (!told.previous().isEmpty()) {
                assertThat(told.previous()).isEqualTo(is.previous());
            }
        }
    }

    @Test
    void aRefusalSaysWhy() {
        Hands hands = new Hands();
        Heard heard = new Heard(hands);
        WatchedStore store = new WatchedStore(TINY);
        store.apply(WatchedStore.put("a", "1"));
        WatchStream stream = store.watches.hub(hands, new WatchBudget(1_200)).open(heard, 3, 500, 30, 0);
        stream.create(WatchedStore.key("a"), -1, 0, WatchOptions.NONE);
        stream.create(new KeyRange(Bytes.utf8("b"), Bytes.utf8("a")), 0, 0, WatchOptions.NONE);
        stream.create(WatchedStore.key("a"), 0, 0, WatchOptions.NONE);
        stream.create(WatchedStore.key("a"), 0, 1, WatchOptions.NONE);
        stream.create(WatchedStore.key("a"), 0, 1, WatchOptions.NONE);
        stream.create(WatchedStore.key("a"), 0, 0, WatchOptions.NONE);
        assertThat(heard.messages).extracting(WatchMessage::watchId).containsExactly(-1L, -1L, 0L, 1L, -1L, -1L);
        assertThat(heard.messages).extracting(WatchMessage::reason).containsExactly(
                "etcdserver: mvcc: required revision has been compacted", "mvcc: watcher range is empty", "", "",
                "mvcc: duplicate watch ID provided on the WatchStream",
                "quoin: the watchers of this server take the 1200 bytes that they may take; cancel some, or give the"
                        + " server more memory");
        assertThat(heard.messages).extracting(WatchMessage::revision).containsOnly(2L);
        stream.cancel(1);
        stream.cancel(1);
        stream.create(WatchedStore.key("a"), 0, 0, WatchOptions.NONE);
        assertThat(heard.messages).extracting(WatchMessage::watchId).endsWith(1L, 1L);
    }
}
