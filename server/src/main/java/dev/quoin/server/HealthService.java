package dev.quoin.server;

import java.util.List;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;

import dev.quoin.api.grpc.health.v1.HealthCheckRequest;
import dev.quoin.api.grpc.health.v1.HealthCheckResponse;
import dev.quoin.api.grpc.health.v1.HealthCheckResponse.ServingStatus;
import dev.quoin.api.grpc.health.v1.HealthListRequest;
import dev.quoin.api.grpc.health.v1.HealthListResponse;
import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

/**
 * grpc.health.v1.Health, gRPC's own protocol. A member that answers at all serves, so the status never changes; as in etcd,
 * only the empty name, the server as a whole, is known.
 */
final class HealthService {
    private static final String SERVICE = "/grpc.health.v1.Health/";
    private static final HealthCheckResponse SERVING = HealthCheckResponse.newBuilder()
            .setStatus(ServingStatus.SERVING).build();
    private static final HealthCheckResponse UNKNOWN = HealthCheckResponse.newBuilder()
            .setStatus(ServingStatus.SERVICE_UNKNOWN).build();

    List<Method> methods() {
        return List.of(Unary.method(SERVICE + "Check", HealthCheckRequest.parser(), HealthService::check),
                Unary.method(SERVICE + "List", HealthListRequest.parser(), HealthService::list),
                Method.stream(SERVICE + "Watch", Method.Kind.SERVER_STREAMING, new Watch()));
    }

    private static HealthCheckResponse check(Call call, HealthCheckRequest request) throws StatusException {
        if (!request.getService().isEmpty()) {
            throw new StatusException(Status.Code.NOT_FOUND, "unknown service");
        }
        return SERVING;
    }

    private static HealthListResponse list(Call call, HealthListRequest request) {
        return HealthListResponse.newBuilder().putStatuses("", SERVING).build();
    }

    /** Tells the status once, and would tell again if it changed: the stream stays open until its client ends it. */
    private static final class Watch implements Handler {
        @Override
        public void onMessage(Call call, Bytes message) {
            try {
                HealthCheckRequest request = HealthCheckRequest
                        .parseFrom(ByteString.copyFrom(message.array(), message.offset(), message.length()));
                HealthCheckResponse status = request.getService().isEmpty() ? SERVING : UNKNOWN;
                call.send(Bytes.of(status.toByteArray()));
            } catch (InvalidProtocolBufferException e) {
                call.finish(Errors.unreadable(String.valueOf(e.getMessage())));
            }
        }
    }
}
