package dev.quoin.net;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/** A call that is over, for whoever counts calls. To be looked at there and then, on its loop: it is the call itself. */
public interface CallEnd {
    Call call();

    End why();

    /** What its client was told; of one that was told nothing, what a server of Go makes of the reason. */
    Status.Code code();

    /** How long it was open, as exact as a turn of its loop is short. */
    long nanos();

    /** The request of a call with one; null if it has not arrived. */
    @Nullable
    Bytes request();

    /** The pieces of the answer, if all of it was handed over at the end; null for any other. */
    Bytes @Nullable [] answer();

    /** What its messages had together. */
    long sentBytes();
}
