package dev.quoin.ctl.rpc;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.ctl.cli.Log;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Credentials;
import dev.quoin.ctl.client.Method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What is asked again, and what is not: nothing that changes anything, unless the server has certainly not seen it. */
@Timeout(30)
class RepetitionTest {
    private static final Set<Method> READERS = EnumSet.of(Method.RANGE, Method.RANGE_STREAM, Method.WATCH,
            Method.LEASE_KEEP_ALIVE, Method.LEASE_TIME_TO_LIVE, Method.LEASE_LEASES, Method.MEMBER_LIST,
            Method.ALARM_LIST, Method.STATUS, Method.HASH_KV, Method.SNAPSHOT, Method.AUTH_STATUS, Method.USER_GET,
            Method.USER_LIST, Method.ROLE_GET, Method.ROLE_LIST);
    /** Longer than a client pauses before it asks again. */
    private static final int PATIENCE_MILLIS = 100;

    @SuppressWarnings("NullAway.Init")
    private RawServer server;

    @BeforeEach
    void listen() throws IOException {
        server = new RawServer();
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    /** The messages do not matter here: any will do. */
    private FutureTask<PutResponse> call(Method method) {
        Channel channel = new Channel(
                new Channel.Settings(List.of(server.endpoint()), null, 0, TimeUnit.SECONDS.toNanos(1), 1 << 20));
        Log log = new Log(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        Client client = new Client(channel, Credentials.NONE, 1 << 20, log, "test");
        FutureTask<PutResponse> call = new FutureTask<>(() -> client.call(method, PutRequest.getDefaultInstance(),
                PutResponse.parser(), Deadline.in(TimeUnit.SECONDS.toNanos(20))));
        Thread thread = new Thread(call);
        thread.setDaemon(true);
        thread.start();
        return call;
    }

    private void answer() throws IOException {
        server.next(RawServer.DATA);
        server.headers(1);
        server.message(1);
        server.trailers(1, 0, "");
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void whatBreaksOffIsAskedAgainOnlyIfItReads(Method method) throws Exception {
        FutureTask<PutResponse> call = call(method);
        server.accept();
        server.next(RawServer.DATA);
        server.hangUp();
        if (READERS.contains(method)) {
            server.accept();
            answer();
            assertThat(call.get()).isEqualTo(PutResponse.getDefaultInstance());
        } else {
            assertThatThrownBy(call::get).isInstanceOf(ExecutionException.class).cause()
                    .isInstanceOfSatisfying(RpcException.class,
                            why -> assertThat(why.outcome()).isEqualTo(RpcException.Outcome.UNKNOWN));
            assertThat(server.isDialledWithin(PATIENCE_MILLIS)).isFalse();
        }
    }

    @Test
    void aWriteThatTheServerGaveBackUntouchedIsAskedAgain() throws Exception {
        FutureTask<PutResponse> call = call(Method.PUT);
        server.accept();
        server.next(RawServer.DATA);
        server.write(RawServer.RST_STREAM, 0, 1, RawServer.number(7));
        server.next(RawServer.DATA);
        server.headers(3);
        server.message(3);
        server.trailers(3, 0, "");
        assertThat(call.get()).isEqualTo(PutResponse.getDefaultInstance());
    }

    /** etcd says so of a write that it may have done: no leader, or none any more. */
    @Test
    void aWriteThatTheServerCouldNotFinishIsNotAskedAgain() throws Exception {
        FutureTask<PutResponse> call = call(Method.PUT);
        server.accept();
        server.next(RawServer.DATA);
        server.write(RawServer.HEADERS, 5, 1, new HeaderWriter().known(8).named(31, "application/grpc")
                .literal("grpc-status", "14").literal("grpc-message", "etcdserver: leader changed").block());
        assertThatThrownBy(call::get).isInstanceOf(ExecutionException.class)
                .hasMessageContaining("etcdserver: leader changed");
        assertThat(server.isDialledWithin(PATIENCE_MILLIS)).isFalse();
        // Nothing more was said on this connection either, before the answer to this.
        server.write(RawServer.PING, 0, 0, new byte[8]);
        for (RawServer.Frame frame = server.any(); frame.type != RawServer.PING; frame = server.any()) {
            assertThat(frame.type).isNotEqualTo(RawServer.HEADERS);
        }
    }
}
