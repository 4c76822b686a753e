package dev.quoin.server;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.grpc.health.v1.HealthCheckRequest;
import dev.quoin.api.v3electionpb.CampaignRequest;
import dev.quoin.api.v3lockpb.LockRequest;
import dev.quoin.base.Invariant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Each method that there is has its row, and no row is for a method that there is not. */
class AccessTableTest {
    private static final List<FileDescriptor> FILES = List.of(RangeRequest.getDescriptor().getFile(),
            LockRequest.getDescriptor().getFile(), CampaignRequest.getDescriptor().getFile(),
            HealthCheckRequest.getDescriptor().getFile());

    @Test
    void everyMethodHasARow() {
        Set<String> methods = new HashSet<>();
        for (FileDescriptor file : FILES) {
            for (ServiceDescriptor service : file.getServices()) {
                for (MethodDescriptor method : service.getMethods()) {
                    methods.add("/" + service.getFullName() + "/" + method.getName());
                }
            }
        }
        assertThat(methods).hasSize(49 + 3);
        assertThat(AccessTable.all().keySet()).containsExactlyInAnyOrderElementsOf(methods);
    }

    @Test
    void aMethodWithoutARowKeepsTheServerFromStarting() {
        assertThatThrownBy(() -> AccessTable.of("/etcdserverpb.KV/Steal")).isInstanceOf(Invariant.Violation.class)
                .hasMessageContaining("/etcdserverpb.KV/Steal");
    }

    /** What anybody may call is a short list: who makes it longer has to say so here. */
    @Test
    void whatEverybodyMayCallIsKnown() {
        assertThat(AccessTable.all().entrySet().stream().filter(row -> row.getValue() == AccessTable.EVERYBODY)
                .map(row -> row.getKey())).containsExactlyInAnyOrder("/etcdserverpb.Auth/Authenticate",
                        "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List", "/grpc.health.v1.Health/Watch");
    }
}
