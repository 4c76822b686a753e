package dev.quoin.net;

import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.StreamByteDistributor;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;

/**
 * Netty's uniform distributor, watched: the flow controller tells it whenever the bytes queued on a stream change, and
 * that is the one place where what a client owes us the reading of can be counted exactly, without a listener on each
 * write.
 */
final class OwedBytes implements StreamByteDistributor {
    /** Fair shares below this many bytes make frames too small to be worth their header (as in grpc-java). */
    private static final int SHARE_BYTES_MIN = 16 * 1024;

    private final UniformStreamByteDistributor uniform;
    private final Http2Connection.PropertyKey key;
    private long total;

    OwedBytes(Http2Connection connection, Http2Connection.PropertyKey key) {
        uniform = new UniformStreamByteDistributor(connection);
        uniform.minAllocationChunk(SHARE_BYTES_MIN);
        this.key = key;
    }

    /** Bytes queued on all streams of the connection. */
    long total() {
        return total;
    }

    @Override
    public void updateStreamableBytes(StreamState state) {
        uniform.updateStreamableBytes(state);
        Http2Stream stream = state.stream();
        H2Stream owner = stream.getProperty(key);
        if (owner == null) {
            return;
        }
        long now = state.pendingBytes();
        long before = owner.owed;
        if (now != before) {
            owner.owed = now;
            total += now - before;
            if (now < before) {
                owner.connection.progressed(owner);
            }
        }
    }

    @Override
    public void updateDependencyTree(int child, int parent, short weight, boolean exclusive) {
        uniform.updateDependencyTree(child, parent, weight, exclusive);
    }

    @Override
    public boolean distribute(int maxBytes, Writer writer) throws Http2Exception {
        return uniform.distribute(maxBytes, writer);
    }
}
