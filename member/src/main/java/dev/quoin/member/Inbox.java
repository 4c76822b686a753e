package dev.quoin.member;

import java.util.List;

import dev.quoin.raft.Message;

/** What a {@link Network} tells its member. Any thread; nothing but {@link IncomingSnapshot} blocks. */
public interface Inbox {
    /** Anything but {@link Message.InstallSnapshot}s, in the order of their arrival. The core checks whether they can be. */
    void received(List<Message> messages);

    /** A message to {@code member} was lost, or the connection it may have been on. */
    void unreachable(long member);

    /**
     * Nobody listens where {@code member} did: its host is there and says so, so its process has ended. Told as often as
     * that is found.
     */
    void gone(long member);

    /** What became of a state that was to be sent to {@code member}. */
    void snapshotSent(long member, Delivery delivery);

    /**
     * A state begins to arrive.
     *
     * @throws SnapshotRefused if it is not wanted
     */
    IncomingSnapshot receive(Message.InstallSnapshot message) throws SnapshotRefused;

    /** Another member says that this one has been removed from the cluster: it stops for good. */
    void removed(long saidBy);
}
