package dev.quoin.server.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** The configuration file; what is refused, and how, was asked of etcd 3.7.1. */
class ConfigFileTest {
    private static void assertRefused(String file, Refused.Form form, String message) {
        Refused refused = catchThrowableOfType(Refused.class, () -> ConfigFile.parse(file));
        assertThat(refused).as(file).isNotNull();
        assertThat(refused.form() + ": " + refused.getMessage()).isEqualTo(form + ": " + message);
    }

    private static void assertNotOfType(String file, String what) {
        assertRefused(file, Refused.Form.CHECK,
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " + what);
    }

    @Test
    void keysAreThoseOfEtcdsStructure() throws Refused {
        Flags flags = ConfigFile.parse("""
                name: m1
                data-dir:
                snapshot-count: 1e3
                max-txn-ops: 0x10
                quota-backend-bytes: -1
                pre-vote: no
                grpc-keepalive-timeout: 600000000000   # nanoseconds
                listen-client-urls: http://b:1,http://a:1
                log-outputs: [stdout, stderr]
                host-whitelist: "b,a"
                cors: ""
                feature-gates: AllBeta=false
                Auto-Compaction-Retention: "1"
                socket-options: {reuse-port: true}
                client-transport-security:
                  auto-tls: true
                  allowed-cn: [x]
                peer-transport-security: {allowed-cn: [a, b], skip-client-san-verification: true}
                discovery-config:
                  token: t
                  client:
                    endpoints: [d, c]
                    dial-timeout: 1000000000
                    secure: {cacert: f}
                    auth: {username: u}
                discovery-fallback: proxy
                nobody: {knows: this}
                """);
        assertThat(flags.areFromFile()).isTrue();
        assertThat(flags.text("name")).isEqualTo("m1");
        assertThat(flags.isGiven("data-dir")).as("nothing is nothing").isFalse();
        assertThat(flags.number("snapshot-count")).isEqualTo(1_000);
        assertThat(flags.number("max-txn-ops")).isEqualTo(16);
        assertThat(flags.number("quota-backend-bytes")).isEqualTo(-1);
        assertThat(flags.isTrue("pre-vote")).isFalse();
        assertThat(flags.text("grpc-keepalive-timeout")).isEqualTo("10m0s");
        assertThat(flags.urls("listen-client-urls")).containsExactly("http://a:1", "http://b:1");
        assertThat(flags.list("log-outputs")).containsExactly("stdout", "stderr");
        assertThat(flags.list("host-whitelist")).containsExactly("a", "b");
        assertThat(flags.text("cors")).isEqualTo("*");
        assertThat(flags.gates().isOpen(Gate.FAST_LEASE_KEEP_ALIVE)).isFalse();
        assertThat(flags.text("auto-compaction-retention")).as("in any case").isEqualTo("1");
        assertThat(flags.isTrue("socket-reuse-port")).isTrue();
        assertThat(flags.isTrue("auto-tls")).isTrue();
        assertThat(flags.text("client-cert-allowed-cn")).isEqualTo("x");
        assertThat(flags.list("peer-cert-allowed-cn")).containsExactly("a", "b");
        assertThat(flags.isTrue("peer-skip-client-san-verification")).isTrue();
        assertThat(flags.text("discovery-token")).isEqualTo("t");
        assertThat(flags.list("discovery-endpoints")).containsExactly("d", "c");
        assertThat(flags.text("discovery-dial-timeout")).isEqualTo("1s");
        assertThat(flags.text("discovery-cacert")).isEqualTo("f");
        assertThat(flags.text("discovery-user")).isEqualTo("u");
        assertThat(flags.text("discovery-fallback")).as("is not read from a file").isEqualTo("exit");
    }

    @Test
    void jsonIsYamlAndNothingIsNothing() throws Refused {
        assertThat(ConfigFile.parse("{\"name\": \"m1\", \"max-wals\": 3}").number("max-wals")).isEqualTo(3);
        assertThat(ConfigFile.parse("").isGiven("name")).isFalse();
        assertThat(ConfigFile.parse("# nothing\n---\n").isGiven("name")).isFalse();
        assertThat(ConfigFile.parse("a: &x {max-wals: 3}\n<<: *x\n").number("max-wals")).as("merged").isEqualTo(3);
        assertThat(ConfigFile.parse("a: &x {max-wals: 3}\n<<: *x\nmax-wals: 4").number("max-wals")).isEqualTo(4);
        assertThat(ConfigFile.parse("name: a\nname: b").text("name")).as("the last counts").isEqualTo("b");
    }

    @Test
    void valuesOfAnotherTypeAreRefused() {
        assertNotOfType("name: 123", "number into Go struct field configYAML.Config.name of type string");
        assertNotOfType("name: on", "bool into Go struct field configYAML.Config.name of type string");
        assertNotOfType("snapshot-count: 1.5",
                "number 1.5 into Go struct field configYAML.Config.snapshot-count of type uint64");
        assertNotOfType("snapshot-count: '1'",
                "string into Go struct field configYAML.Config.snapshot-count of type uint64");
        assertNotOfType("snapshot-count: -1",
                "number -1 into Go struct field configYAML.Config.snapshot-count of type uint64");
        assertNotOfType("max-txn-ops: x", "string into Go struct field configYAML.Config.max-txn-ops of type uint");
        assertNotOfType("max-concurrent-streams: 4294967296",
                "number 4294967296 into Go struct field configYAML.Config.max-concurrent-streams of type uint32");
        assertNotOfType("pre-vote: 1", "number into Go struct field configYAML.Config.pre-vote of type bool");
        assertNotOfType("pre-vote: 'true'", "string into Go struct field configYAML.Config.pre-vote of type bool");
        assertNotOfType("grpc-keepalive-timeout: 10s",
                "string into Go struct field configYAML.Config.grpc-keepalive-timeout of type time.Duration");
        assertNotOfType("log-outputs: stderr",
                "string into Go struct field configYAML.Config.log-outputs of type []string");
        assertNotOfType("log-outputs: [1]",
                "number into Go struct field configYAML.Config.log-outputs of type string");
        assertNotOfType("client-transport-security: {cert-file: 5}", "number into Go struct field"
                + " securityConfig.configJSON.client-transport-security.cert-file of type string");
        assertNotOfType("discovery-config: {client: {dial-timeout: x}}", "string into Go struct field"
                + " ConfigSpec.Config.discovery-config.client.dial-timeout of type time.Duration");
        assertNotOfType("log-rotation-config-json: {}",
                "object into Go struct field configYAML.Config.log-rotation-config-json of type string");
        assertNotOfType("[1]", "what is not an object into Go value of type embed.configYAML");
    }

    @Test
    void valuesThatMakeNoSenseAreRefused() {
        assertRefused("listen-peer-urls: x", Refused.Form.PLAIN, "unexpected error setting up listen-peer-urls:"
                + " URL scheme must be http, https, unix, or unixs: x");
        assertRefused("feature-gates: X=true", Refused.Form.CHECK, "unrecognized feature gate: X");
        assertRefused("ClientTLSInfo: {CRLFile: x}", Refused.Form.CHECK, "ClientTLSInfo in the configuration file is"
                + " not served: use client-transport-security, peer-transport-security, and a flag or a variable for"
                + " a revocation list");
        assertThat(catchThrowableOfType(Refused.class, () -> ConfigFile.parse("a:\n  - b\n c: [")))
                .hasMessageMatching("error converting YAML to JSON: yaml: line \\d+: .+");
    }

    /** Ten levels of ten aliases each would be ten thousand million values. */
    @Test
    void aFileThatGrowsWhenReadIsRefused() {
        StringBuilder file = new StringBuilder("a0: &a0 [x]\n");
        for (int i = 1; i <= 10; i++) {
            file.append("a%d: &a%d [%s]\n".formatted(i, i, "*a%d,".formatted(i - 1).repeat(10)));
        }
        assertThat(catchThrowableOfType(Refused.class, () -> ConfigFile.parse(file.toString())))
                .hasMessageContaining("more than 100000 values");
    }

    @Test
    void aFileCountsAloneAndMayBeNamedByAVariable(@TempDir Path directory) throws IOException, Refused {
        Path file = Files.writeString(directory.resolve("c"), "max-wals: 3\n");
        for (Flags.Wish wish : new Flags.Wish[]{
            Flags.read(new String[]{"--config-file", file.toString(), "--name=a"}, Map.of("ETCD_NAME", "b")),
            Flags.read(new String[]{"--name=a"}, Map.of("ETCD_CONFIG_FILE", file.toString()))}) {
            Flags flags = ((Flags.Wish.Start) wish).flags();
            assertThat(flags.number("max-wals")).isEqualTo(3);
            assertThat(flags.text("name")).isEqualTo("default");
            assertThat(flags.notes()).containsExactly(Note.info("loaded server configuration, other configuration"
                    + " command line flags and environment variables will be ignored if provided",
                    Map.of("path", file.toString())));
        }
    }

    @Test
    void aFileThatCannotBeReadIsRefused(@TempDir Path directory) {
        assertThat(catchThrowableOfType(Refused.class, () -> ConfigFile.read(directory.resolve("c").toString())))
                .hasMessage("open " + directory.resolve("c") + ": no such file or directory");
        assertThat(catchThrowableOfType(Refused.class, () -> ConfigFile.read(directory.toString())))
                .hasMessage("read " + directory + ": is a directory");
    }
}
