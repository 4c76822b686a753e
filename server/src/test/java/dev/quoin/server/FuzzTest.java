package dev.quoin.server;

import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

import com.google.protobuf.Descriptors.MethodDescriptor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import dev.quoin.server.auth.JwtFuzz;
import dev.quoin.server.auth.PermissionFuzz;
import dev.quoin.server.config.ConfigurationFuzz;
import dev.quoin.server.gateway.GatewayJsonFuzz;
import dev.quoin.server.peer.PeerMessageFuzz;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the fuzzer has found worth keeping is asked again, and a little other from fixed seeds: whatever comes from outside is
 * taken or refused by name, and nothing else happens. {@code dev/fuzz} looks for more.
 */
class FuzzTest {
    private static final int MUTATIONS = 10;
    private static final List<String> SERVICES = List.of("KV", "Watch", "Lease", "Cluster", "Maintenance", "Auth",
            "Lock",
            "Election");

    /** Only refused where there is one member: another has an id that no input can know. */
    private static final Set<String> OF_OTHER_MEMBERS = Set.of("MemberPromote", "MemberRemove");

    /** A target; what it throws is a finding. */
    @FunctionalInterface
    interface Target {
        void on(byte[] input) throws Exception;
    }

    private static Map<String, Target> targets() {
        Map<String, Target> targets = new TreeMap<>();
        targets.put("gateway-json", GatewayJsonFuzz::fuzzerTestOneInput);
        targets.put("kv-requests", KvRequestFuzz::fuzzerTestOneInput);
        targets.put("jwt", JwtFuzz::fuzzerTestOneInput);
        targets.put("permissions", PermissionFuzz::fuzzerTestOneInput);
        targets.put("peer-messages", PeerMessageFuzz::fuzzerTestOneInput);
        targets.put("configuration", ConfigurationFuzz::fuzzerTestOneInput);
        targets.put("wal", StorageFuzz.Wals::fuzzerTestOneInput);
        targets.put("ledger", StorageFuzz.Ledgers::fuzzerTestOneInput);
        targets.put("database", StorageFuzz.Databases::fuzzerTestOneInput);
        for (String service : SERVICES) {
            targets.put(target(service), input -> ServiceFuzz.ask(service, input));
        }
        return targets;
    }

    private static String target(String service) {
        return "service-" + service.toLowerCase(Locale.ROOT);
    }

    @AfterAll
    static void stopServers() throws InterruptedException {
        ServiceFuzz.end();
    }

    @TestFactory
    Stream<DynamicTest> whatIsKeptIsTakenOrRefused() {
        return targets().entrySet().stream().map(target -> DynamicTest.dynamicTest(target.getKey(),
                () -> replay(target.getKey(), target.getValue())));
    }

    /** Inputs that are all refused would try nothing. */
    @TestFactory
    Stream<DynamicTest> whatIsKeptHasEachMethodOfAServiceDone() {
        return SERVICES.stream().map(service -> DynamicTest.dynamicTest(service, () -> {
            Set<String> done = new TreeSet<>();
            for (byte[] input : Corpus.of(target(service))) {
                ServiceFuzz.ask(service, input).stream().filter(ServiceFuzz.Answered::isDone)
                        .forEach(answered -> done.add(answered.method()));
            }
            assertThat(done).containsAll(ServiceFuzz.methods(service).stream().map(MethodDescriptor::getName)
                    .filter(method -> !OF_OTHER_MEMBERS.contains(method)).toList());
        }));
    }

    private static void replay(String name, Target target) throws Exception {
        List<byte[]> inputs = Corpus.of(name);
        assertThat(inputs).isNotEmpty();
        Random random = new Random(name.hashCode());
        for (byte[] input : inputs) {
            ask(target, input);
            for (int i = 0; i < MUTATIONS; i++) {
                ask(target, Corpus.mutated(input, inputs.get(random.nextInt(inputs.size())), random));
            }
        }
    }

    private static void ask(Target target, byte[] input) {
        try {
            target.on(input);
        } catch (Throwable found) {
            throw new AssertionError("for the corpus: " + HexFormat.of().formatHex(input), found);
        }
    }
}
