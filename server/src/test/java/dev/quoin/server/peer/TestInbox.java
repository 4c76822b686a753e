package dev.quoin.server.peer;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import dev.quoin.member.Delivery;
import dev.quoin.member.Inbox;
import dev.quoin.member.IncomingSnapshot;
import dev.quoin.member.SnapshotRefused;
import dev.quoin.raft.Message;

/** A member that only remembers what it was told, and can be waited for. */
final class TestInbox implements Inbox {
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    /** What was told, as values that tests compare. */
    sealed interface Told {
        record Received(Message message) implements Told {}

        record Unreachable(long member) implements Told {}

        record Sent(long member, Delivery delivery) implements Told {}

        record State(Message.InstallSnapshot message, int bytes, int sum) implements Told {}

        record Aborted(int bytes) implements Told {}

        record Removed(long saidBy) implements Told {}
    }

    private final List<Told> told = new ArrayList<>();
    private @Nullable String refuses;
    private volatile byte[] lastState = new byte[0];
    private volatile Consumer<Message> reaction = message -> {};

    @Override
    public void received(List<Message> messages) {
        for (Message message : messages) {
            tell(new Told.Received(message));
            reaction.accept(message);
        }
    }

    /** Does this, too, with each message. */
    void react(Consumer<Message> how) {
        reaction = how;
    }

    @Override
    public void unreachable(long member) {
        tell(new Told.Unreachable(member));
    }

    @Override
    public void snapshotSent(long member, Delivery delivery) {
        tell(new Told.Sent(member, delivery));
    }

    @Override
    public void removed(long saidBy) {
        tell(new Told.Removed(saidBy));
    }

    @Override
    public IncomingSnapshot receive(Message.InstallSnapshot message) throws SnapshotRefused {
        if ("at once".equals(refuses)) {
            throw new SnapshotRefused("not wanted");
        }
        return new IncomingSnapshot() {
            private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

            @Override
            public void write(byte[] array, int offset, int length) {
                bytes.write(array, offset, length);
            }

            @Override
            public void finish() throws SnapshotRefused {
                if ("at the end".equals(refuses)) {
                    throw new SnapshotRefused("damaged");
                }
                lastState = bytes.toByteArray();
                tell(new Told.State(message, bytes.size(), sum(bytes.toByteArray())));
                reaction.accept(message);
            }

            @Override
            public void abort() {
                tell(new Told.Aborted(bytes.size()));
            }
        };
    }

    /** The bytes of the state that came last. */
    byte[] lastState() {
        return lastState;
    }

    static int sum(byte[] bytes) {
        return java.util.Arrays.hashCode(bytes);
    }

    synchronized void refuse(@Nullable String when) {
        refuses = when;
    }

    private synchronized void tell(Told what) {
        told.add(what);
        notifyAll();
    }

    synchronized List<Told> all() {
        return List.copyOf(told);
    }

    synchronized void forget() {
        told.clear();
    }

    List<Message> messages() {
        return all().stream().filter(Told.Received.class::isInstance).map(t -> ((Told.Received) t).message()).toList();
    }

    /** Waits until all that was told so far satisfies a condition, and says whether it came to that. */
    synchronized boolean await(Predicate<List<Told>> condition) throws InterruptedException {
        long until = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.test(told)) {
            long left = until - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            java.util.concurrent.TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return true;
    }

    boolean await(Told what) throws InterruptedException {
        return await(all -> all.contains(what));
    }

    @Override
    public void gone(long member) {}
}
