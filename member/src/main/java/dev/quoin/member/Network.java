package dev.quoin.member;

import java.util.Collection;

import dev.quoin.raft.Message;

/**
 * How a member reaches the others of its cluster. The server's speaks etcd's peer protocol over sockets, the simulator's
 * passes values on. It may lose, delay, double and reorder what it is given: consensus copes with that.
 *
 * <p>Threads: {@link #start} and {@link #close} are called once each, by whoever starts the member; the others by the
 * member's loops. None of them may block, throw, or call back before it has returned.
 */
public interface Network extends AutoCloseable {
    /** For a member that is alone. */
    Network NONE = new Network() {
        @Override
        public void start(Inbox inbox) {}

        @Override
        public void members(Membership membership) {}

        @Override
        public void send(Collection<Message> messages) {}

        @Override
        public void sendSnapshot(Message.InstallSnapshot message, SnapshotState state) {
            state.close();
        }

        @Override
        public long activeSinceNanos(long member) {
            return 0;
        }

        @Override
        public void close() {}
    };

    /** From now on what arrives is told to {@code inbox}. Called once, before anything else. */
    void start(Inbox inbox);

    /**
     * Who belongs to the cluster now: connections to those who were removed are ended, to new ones begun. Called at the
     * start, and after each change that was applied; while the first entries are applied some may be missing. The member
     * itself may be among them.
     */
    void members(Membership membership);

    /** Sends messages, in order as far as they have the same receiver; {@link Message.InstallSnapshot}s are none of them. */
    void send(Collection<Message> messages);

    /**
     * Sends a state, and says through {@link Inbox#snapshotSent} what became of it. Whoever sends closes {@code state},
     * exactly once, whatever happens.
     *
     * @param message its place in the log is that of {@code state}
     */
    void sendSnapshot(Message.InstallSnapshot message, SnapshotState state);

    /** Since when a member has been within reach without a break, on the member's clock; 0 if it is not. Any thread. */
    long activeSinceNanos(long member);

    /** Ends all connections. What arrives later is told to nobody. */
    @Override
    void close();
}
