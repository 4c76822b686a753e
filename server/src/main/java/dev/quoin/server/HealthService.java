package dev.quoin.server;

import java.util.List;

import dev.quoin.api.grpc.health.v1.HealthCheckRequest;
import dev.quoin.api.grpc.health.v1.HealthCheckResponse;
import dev.quoin.api.grpc.health.v1.HealthCheckResponse.ServingStatus;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

/**
 * grpc.health.v1.Health/Check. A member that answers at all serves; as in etcd, only the empty name, the server as a whole,
 * is known.
 */
final class HealthService {
    List<Method> methods() {
        return List.of(
                Unary.method("/grpc.health.v1.Health/Check", HealthCheckRequest.parser(), HealthService::check));
    }

    private static HealthCheckResponse check(Call call, HealthCheckRequest request) throws StatusException {
        if (!request.getService().isEmpty()) {
            throw new StatusException(Status.Code.NOT_FOUND, "unknown service");
        }
        return HealthCheckResponse.newBuilder().setStatus(ServingStatus.SERVING).build();
    }
}
