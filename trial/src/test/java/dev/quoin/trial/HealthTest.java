package dev.quoin.trial;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** gRPC's health protocol, which load balancers and probes ask. Messages by hand: they are two bytes long. */
class HealthTest {
    private static final byte[] EVERYTHING = {};
    /** HealthCheckRequest{service: "x"} */
    private static final byte[] NOBODY = {10, 1, 'x'};
    /** HealthCheckResponse{status: SERVING} */
    private static final byte[] SERVING = {8, 1};
    /** HealthCheckResponse{status: SERVICE_UNKNOWN} */
    private static final byte[] SERVICE_UNKNOWN = {8, 3};
    /** HealthListResponse{statuses: {"": SERVING}} */
    private static final byte[] ONE_SERVING = {10, 6, 10, 0, 18, 2, 8, 1};

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path home;

    @SuppressWarnings("NullAway.Init")
    private static ServerProcess server;
    @SuppressWarnings("NullAway.Init")
    private static PlainClient client;

    private static final class Raw implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] bytes) {
            return new ByteArrayInputStream(bytes);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @BeforeAll
    static void start() throws Exception {
        server = ServerProcess.started(home);
        client = new PlainClient(server);
    }

    @AfterAll
    static void stop() throws Exception {
        client.close();
        server.close();
    }

    private static MethodDescriptor<byte[], byte[]> method(String name, MethodDescriptor.MethodType type) {
        return MethodDescriptor.<byte[], byte[]>newBuilder(new Raw(), new Raw()).setType(type)
                .setFullMethodName("grpc.health.v1.Health/" + name).build();
    }

    private static byte[] ask(String name, byte[] request) {
        ManagedChannel channel = client.channel();
        return ClientCalls.blockingUnaryCall(channel, method(name, MethodDescriptor.MethodType.UNARY),
                CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS), request);
    }

    private static Iterator<byte[]> watch(byte[] request) {
        return ClientCalls.blockingServerStreamingCall(client.channel(),
                method("Watch", MethodDescriptor.MethodType.SERVER_STREAMING),
                CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS), request);
    }

    @Test
    void theServerAsAWholeServes() {
        assertThat(ask("Check", EVERYTHING)).isEqualTo(SERVING);
        assertThat(ask("List", EVERYTHING)).isEqualTo(ONE_SERVING);
    }

    @Test
    void noOtherNameIsKnown() {
        StatusRuntimeException refused = catchThrowableOfType(StatusRuntimeException.class, () -> ask("Check", NOBODY));
        assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(refused.getStatus().getDescription()).isEqualTo("unknown service");
    }

    @Test
    void aWatchIsToldAtOnce() {
        assertThat(watch(EVERYTHING).next()).isEqualTo(SERVING);
        assertThat(watch(NOBODY).next()).isEqualTo(SERVICE_UNKNOWN);
    }
}
