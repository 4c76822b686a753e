package dev.quoin.member.watch;

import java.util.List;

/** What a {@link WatchStream} sends through. Everything is called on the hub's thread. */
public interface WatchOutlet {
    /** Whether more may be sent now. If not, {@link WatchStream#roomMade} has to be called once it may. */
    boolean hasRoom();

    /** Sends a message whose events are at hand ({@link WatchEvents.Whole}). Never waits. */
    void send(WatchMessage message);

    /**
     * Sends messages that are large, at the pace of whoever receives them; then runs {@code sent} on the hub's thread. Until
     * then nothing else is sent.
     */
    void sendLong(List<WatchMessage> messages, Runnable sent);

    /** The stream cannot go on: something is wrong with us. It has to be closed. */
    void failed(RuntimeException why);
}
