package dev.quoin.net;

/**
 * A message that is never held as a whole: its length is known first, and its bytes are made while they are sent, a part
 * at a time, at the pace of whoever receives them. {@link Call#send(LongMessage)} sends one.
 */
public interface LongMessage {
    /** Takes the bytes of a message, in order. */
    @FunctionalInterface
    interface Sink {
        /**
         * Copies these bytes; waits if the receiver has not taken what came before.
         *
         * @return false if nobody will receive the rest, so that making it can stop
         */
        boolean write(byte[] bytes, int offset, int length);
    }

    /** How many bytes {@link #writeTo} gives, to the byte. */
    long length();

    /**
     * Gives all of the bytes. For a client that wants the message compressed it is asked twice, first to measure, and has
     * to give the same bytes again.
     *
     * @throws StatusException if it cannot go on: what the client is to be told instead of the rest
     */
    void writeTo(Sink sink) throws StatusException;
}
