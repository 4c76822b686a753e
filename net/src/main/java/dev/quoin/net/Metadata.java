package dev.quoin.net;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * gRPC metadata: names, each with one or more values, in the order they came. Immutable. Names are lower case; a name
 * that ends in {@code -bin} has byte values (base64 on the wire only), any other has ASCII text. What the protocol itself
 * uses ({@code grpc-timeout}, {@code content-type}, …) never appears in a request's metadata and is dropped from an
 * answer's. Bounded by the header list limit of the connection.
 */
public final class Metadata {
    public static final Metadata EMPTY = new Metadata(new String[0], new Object[0]);

    private final String[] names;
    private final Object[] values; // String, or Bytes under a -bin name

    private Metadata(String[] names, Object[] values) {
        this.names = names;
        this.values = values;
    }

    /** Collects metadata; not safe for several threads. */
    public static final class Builder {
        private final List<String> names = new ArrayList<>();
        private final List<Object> values = new ArrayList<>();

        private Builder() {}

        /** Text under a name without {@code -bin}. */
        public Builder add(String name, String value) {
            return put(name, false, value);
        }

        /** Bytes under a name with {@code -bin}. */
        public Builder add(String name, Bytes value) {
            return put(name, true, value);
        }

        private Builder put(String name, boolean binary, Object value) {
            String lower = name.toLowerCase(Locale.ROOT);
            if (isBinary(lower) != binary) {
                throw new IllegalArgumentException("metadata " + lower + (binary ? " takes text" : " takes bytes"));
            }
            names.add(lower);
            values.add(value);
            return this;
        }

        public Metadata build() {
            return names.isEmpty() ? EMPTY : new Metadata(names.toArray(new String[0]), values.toArray());
        }
    }

    public static Builder builder() {
        return new Builder();
    }

    public static Metadata of(String name, String value) {
        return builder().add(name, value).build();
    }

    static boolean isBinary(CharSequence name) {
        int length = name.length();
        return length >= 4 && name.charAt(length - 1) == 'n' && name.charAt(length - 2) == 'i'
                && name.charAt(length - 3) == 'b' && name.charAt(length - 4) == '-';
    }

    public boolean isEmpty() {
        return names.length == 0;
    }

    public int size() {
        return names.length;
    }

    /** The first text under {@code name}, or null. */
    public @Nullable String text(String name) {
        for (int i = 0; i < names.length; i++) {
            if (values[i] instanceof String text && names[i].equals(name)) {
                return text;
            }
        }
        return null;
    }

    /** The first bytes under {@code name}, which ends in {@code -bin}, or null. */
    public @Nullable Bytes bytes(String name) {
        for (int i = 0; i < names.length; i++) {
            if (values[i] instanceof Bytes bytes && names[i].equals(name)) {
                return bytes;
            }
        }
        return null;
    }

    /** Every pair in order; the value is a {@link String}, or {@link Bytes} under a {@code -bin} name. */
    public void forEach(BiConsumer<String, Object> visitor) {
        for (int i = 0; i < names.length; i++) {
            visitor.accept(names[i], values[i]);
        }
    }

    /** For logs: names only, since values may hold a token. */
    @Override
    public String toString() {
        return String.join(",", names);
    }
}
