package dev.quoin.server.gateway;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.Rpc;
import dev.quoin.api.v3electionpb.V3Election;
import dev.quoin.api.v3lockpb.V3Lock;

import static org.assertj.core.api.Assertions.assertThat;

/** The table of paths: all of them, for all RPCs but the one that etcd leaves out. */
class RoutesTest {
    private final Routes routes = new Routes();

    @Test
    void everyRpcHasItsPath() {
        assertThat(routes.all()).hasSize(51);
        List<String> missing = new ArrayList<>();
        Set<String> known = new HashSet<>();
        routes.all().values().forEach(route -> known.add(route.method().getFullName()));
        for (var file : List.of(Rpc.getDescriptor(), V3Lock.getDescriptor(), V3Election.getDescriptor())) {
            for (ServiceDescriptor service : file.getServices()) {
                for (MethodDescriptor method : service.getMethods()) {
                    if (!known.contains(method.getFullName())) {
                        missing.add(method.getFullName());
                    }
                }
            }
        }
        assertThat(missing).containsExactly("etcdserverpb.KV.RangeStream");
    }

    @Test
    void theOldPrefixIsTaken() {
        assertThat(routes.find("/v3beta/kv/range")).isEqualTo(routes.find("/v3/kv/range")).isNotNull();
        assertThat(routes.find("/v3alpha/kv/range")).isNull();
        assertThat(routes.find("/v3/kv/range/")).isNull();
        assertThat(Routes.isOurs("/v3/none") && Routes.isOurs("/v3beta/kv")).isTrue();
        assertThat(Routes.isOurs("/v3") || Routes.isOurs("/version")).isFalse();
    }

    /** What {@link JsonPrinter} counts on: it writes fields as they come, which is by their numbers, and Go as they are declared. */
    @Test
    void fieldsOfAnswersAreDeclaredByTheirNumbersAndOfKindsThatArePrinted() {
        Set<Descriptor> seen = new HashSet<>();
        ArrayDeque<Descriptor> open = new ArrayDeque<>();
        routes.all().values().forEach(route -> open.add(route.method().getOutputType()));
        while (!open.isEmpty()) {
            Descriptor type = open.remove();
            if (!seen.add(type)) {
                continue;
            }
            int last = 0;
            for (FieldDescriptor field : type.getFields()) {
                assertThat(field.getNumber()).as(field.getFullName()).isGreaterThan(last);
                last = field.getNumber();
                assertThat(field.isPacked() || field.isMapField()).as(field.getFullName()).isFalse();
                assertThat(field.getType()).as(field.getFullName()).isIn(FieldDescriptor.Type.BOOL,
                        FieldDescriptor.Type.STRING, FieldDescriptor.Type.BYTES, FieldDescriptor.Type.INT32,
                        FieldDescriptor.Type.UINT32, FieldDescriptor.Type.INT64, FieldDescriptor.Type.UINT64,
                        FieldDescriptor.Type.ENUM, FieldDescriptor.Type.MESSAGE);
                if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
                    open.add(field.getMessageType());
                }
            }
        }
        assertThat(seen).hasSizeGreaterThan(50);
    }
}
