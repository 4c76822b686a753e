package dev.quoin.ctl.client;

import com.google.protobuf.ByteString;

/** Ranges of keys, as requests write them. */
public final class KeyRanges {
    /** As the end of a range: no end. As a key: the first there can be. */
    public static final ByteString ZERO = ByteString.copyFrom(new byte[]{0});

    private KeyRanges() {}

    /** The first key behind all that begin with the prefix (etcd: client/v3/op.go, getPrefix). */
    public static ByteString endOf(ByteString prefix) {
        byte[] end = prefix.toByteArray();
        for (int i = end.length - 1; i >= 0; i--) {
            if (end[i] != (byte) 0xff) {
                end[i]++;
                return ByteString.copyFrom(end, 0, i + 1);
            }
        }
        return ZERO;
    }
}
