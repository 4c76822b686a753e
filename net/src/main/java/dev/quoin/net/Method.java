package dev.quoin.net;

/**
 * A gRPC method: where it is found, which side streams, where its work is done, and who does it. A value.
 *
 * @param path {@code /package.Service/Name}
 */
public record Method(String path, Kind kind, Mode mode, Handler handler) {
    /** Which side may send more than one message. */
    public enum Kind {
        UNARY, CLIENT_STREAMING, SERVER_STREAMING, BIDI;

        /** Whether the client may send more than one message. */
        public boolean clientStreams() {
            return this == CLIENT_STREAMING || this == BIDI;
        }
    }

    /** Where the work is done. */
    public enum Mode {
        /** On the event loop, gathered over a turn: {@link LoopTurn} is told when such messages came. */
        HOT,
        /** On a virtual thread for each call. */
        VIRTUAL,
        /** On the event loop, as a stream: fed when its client has room. */
        STREAM
    }

    public Method {
        int slash = path.lastIndexOf('/');
        if (!path.startsWith("/") || slash <= 1 || slash == path.length() - 1) {
            throw new IllegalArgumentException("not a gRPC path: " + path);
        }
    }

    public static Method hot(String path, Kind kind, Handler handler) {
        return new Method(path, kind, Mode.HOT, handler);
    }

    public static Method virtual(String path, UnaryHandler handler) {
        return new Method(path, Kind.UNARY, Mode.VIRTUAL, VirtualHandler.unary(handler));
    }

    public static Method virtualStream(String path, StreamHandler handler) {
        return new Method(path, Kind.SERVER_STREAMING, Mode.VIRTUAL, VirtualHandler.streaming(handler));
    }

    public static Method stream(String path, Kind kind, Handler handler) {
        return new Method(path, kind, Mode.STREAM, handler);
    }

    /** Everything between the first and the last slash. */
    public String service() {
        return path.substring(1, path.lastIndexOf('/'));
    }
}
