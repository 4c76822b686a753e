package dev.quoin.trial;

import java.util.List;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.KeyValue;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.PutResponse;
import io.etcd.jetcd.api.RangeRequest;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;

/** A gRPC channel to one server that sends what it is told, once: a refusal or a broken connection is seen as it is. */
final class PlainClient implements AutoCloseable {
    private final ManagedChannel channel;

    PlainClient(ServerProcess server) {
        this(server, InsecureChannelCredentials.create());
    }

    PlainClient(ServerProcess server, ChannelCredentials credentials) {
        channel = NettyChannelBuilder.forAddress("127.0.0.1", server.clientPort(), credentials).disableRetry().build();
    }

    ManagedChannel channel() {
        return channel;
    }

    KVGrpc.KVBlockingStub kv() {
        return KVGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
    }

    PutResponse put(String key, String value) {
        return kv().put(PutRequest.newBuilder().setKey(bytes(key)).setValue(bytes(value)).build());
    }

    /** All pairs whose key starts so, as {@code key=value}, in the order of the keys. */
    List<String> pairs(String prefix) {
        String end = prefix.substring(0, prefix.length() - 1) + (char) (prefix.charAt(prefix.length() - 1) + 1);
        return kv().range(RangeRequest.newBuilder().setKey(bytes(prefix)).setRangeEnd(bytes(end)).build()).getKvsList()
                .stream().map(PlainClient::pair).toList();
    }

    private static String pair(KeyValue kv) {
        return kv.getKey().toStringUtf8() + "=" + kv.getValue().toStringUtf8();
    }

    static ByteString bytes(String text) {
        return ByteString.copyFromUtf8(text);
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
