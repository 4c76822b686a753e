package dev.quoin.server;

import java.util.Map;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The command line as Go's flag package reads it, and the environment as etcd does. */
class FlagsTest {
    private static Flags parse(String... args) throws Flags.Refused {
        return Flags.parse(args, Map.of());
    }

    private static void assertRefused(int exitCode, String message, String... args) {
        assertThatThrownBy(() -> ServerConfig.of(parse(args))).isInstanceOf(Flags.Refused.class)
                .hasMessageContaining(message)
                .satisfies(refused -> assertThat(((Flags.Refused) refused).exitCode).isEqualTo(exitCode));
    }

    @Test
    void oneDashOrTwoWithOrWithoutAnEqualsSign() throws Flags.Refused {
        assertThat(parse("--name=a").text("name")).isEqualTo("a");
        assertThat(parse("-name", "a").text("name")).isEqualTo("a");
        assertThat(parse("--name=a=b").text("name")).isEqualTo("a=b");
        assertThat(parse("--name", "a", "-name=b").text("name")).as("the last counts").isEqualTo("b");
        assertThat(parse("--version").isTrue("version")).isTrue();
        assertThat(parse("--version=false").isTrue("version")).isFalse();
    }

    @Test
    void whatDoesNotParseEndsWithTwo() {
        assertRefused(2, "flag provided but not defined: -nope", "--nope");
        assertRefused(2, "flag needs an argument: -name", "--name");
        assertRefused(2, "invalid value \"x\" for flag -max-txn-ops: parse error", "--max-txn-ops=x");
        assertRefused(2, "bad flag syntax: ---name", "---name");
    }

    @Test
    void whatMakesNoSenseEndsWithOne() {
        assertRefused(1, "'start' is not a valid flag", "start");
        assertRefused(1, "--advertise-client-urls is required when --listen-client-urls is set explicitly",
                "--listen-client-urls=http://127.0.0.1:1");
        assertRefused(1, "URL scheme must be http or https", "--advertise-client-urls=ftp://localhost:1");
        assertRefused(1, "expected IP in URL for binding", "--listen-client-urls=http://example.com:1",
                "--advertise-client-urls=http://example.com:1");
        assertRefused(1, "clusters of more than this member are not served yet",
                "--initial-cluster=default=http://localhost:2380,b=http://localhost:3380");
        assertRefused(1, "should be at least as 5 times", "--heartbeat-interval=300");
        assertRefused(1, "unexpected clusterState", "--initial-cluster-state=other");
    }

    @Test
    void theEnvironmentCountsUnlessTheFlagIsThereToo() throws Flags.Refused {
        Flags flags = Flags.parse(new String[0], Map.of("ETCD_DATA_DIR", "/d", "ETCD_NAME", "", "ETCD_OTHER", "x"));
        assertThat(flags.text("data-dir")).isEqualTo("/d");
        assertThat(flags.text("name")).as("an empty variable is none").isEqualTo("default");
        assertThatThrownBy(() -> Flags.parse(new String[]{"--name=a"}, Map.of("ETCD_NAME", "b")))
                .isInstanceOf(Flags.Refused.class).hasMessageContaining("\"ETCD_NAME\" is shadowed");
    }
}
