package dev.quoin.server.config;

/** A text that is no value of its kind; the message says why in Go's or etcd's words. */
final class BadValue extends Exception {
    private static final long serialVersionUID = 1L;

    BadValue(String message) {
        super(message);
    }

    String why() {
        return String.valueOf(getMessage());
    }
}
