package dev.quoin.net;

/** The rest of a request's body will not come. */
public final class HttpBodyLost extends Exception {
    private static final long serialVersionUID = 1L;

    HttpBodyLost(String why) {
        super(why);
    }
}
