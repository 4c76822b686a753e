package dev.quoin.server;

import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.quoin.server.bootstrap.ClusterFlags;

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
        assertRefused(2, "invalid value \"other\" for flag -initial-cluster-state: invalid value",
                "--initial-cluster-state=other");
        assertRefused(2, "invalid boolean value \"x\" for -force-new-cluster: parse error", "--force-new-cluster=x");
        assertRefused(2, "invalid value \"ftp://localhost:1\" for flag -advertise-client-urls:"
                + " URL scheme must be http, https, unix, or unixs: ftp://localhost:1",
                "--advertise-client-urls=ftp://localhost:1");
    }

    @Test
    void whatMakesNoSenseEndsWithOne() {
        assertRefused(1, "'start' is not a valid flag", "start");
        assertRefused(1, "--advertise-client-urls is required when --listen-client-urls is set explicitly",
                "--listen-client-urls=http://127.0.0.1:1");
        assertRefused(1, "expected IP in URL for binding", "--listen-client-urls=http://example.com:1",
                "--advertise-client-urls=http://example.com:1");
        assertRefused(1, "--initial-advertise-peer-urls \"http://:1\" must be \"host:port\""
                + " (unexpected empty host (http://:1))", "--initial-advertise-peer-urls=http://:1");
        assertRefused(1, "should be at least as 5 times", "--heartbeat-interval=300");
        assertRefused(1, "--election-timeout[60000ms] is too long, and should be set less than 50000ms",
                "--election-timeout=60000");
        assertRefused(1, "multiple discovery or bootstrap flags are set. Choose one of \"initial-cluster\","
                + " \"discovery-endpoints\" or \"discovery-srv\"", "--initial-cluster=a=http://a:1",
                "--discovery-srv=example.com");
    }

    @Test
    void urlsAreToldOnceAndInOrderAndNoneLeavesTheInitialOnes() throws Flags.Refused {
        assertThat(parse("--listen-peer-urls=http://b:1, http://a:1,http://b:1").urls("listen-peer-urls"))
                .containsExactly("http://a:1", "http://b:1");
        assertThat(parse("--listen-peer-urls=").urls("listen-peer-urls")).containsExactly("http://localhost:2380");
    }

    @Test
    void withoutAnInitialClusterTheClusterIsTheMemberUnlessItHasNoName() throws Flags.Refused {
        assertThat(source("--name=a", "--initial-advertise-peer-urls=http://b:1,http://a:1"))
                .isEqualTo(new ClusterFlags.Source.Static("a=http://a:1,a=http://b:1"));
        assertThat(source("--initial-advertise-peer-urls=http://b:1"))
                .isEqualTo(new ClusterFlags.Source.Static("default=http://localhost:2380"));
        assertThat(source("--name=a", "--initial-cluster=b=http://b:1"))
                .isEqualTo(new ClusterFlags.Source.Static("b=http://b:1"));
        assertThat(source("--name=a", "--discovery-srv=example.com", "--discovery-srv-name=x"))
                .isEqualTo(new ClusterFlags.Source.Srv("example.com", "x"));
    }

    private static ClusterFlags.Source source(String... args) throws Flags.Refused {
        return ServerConfig.of(parse(args)).cluster().source();
    }

    @Test
    void theFlagsOfTheClusterReachTheMember() throws Flags.Refused {
        ServerConfig config = ServerConfig.of(parse("--strict-reconfig-check=0", "--force-new-cluster",
                "--initial-cluster-state=existing", "--initial-cluster-token=t", "--max-learners=3",
                "--initial-election-tick-advance=F", "--listen-peer-urls=http://127.0.0.1:7"));
        assertThat(config.member().strictReconfig()).isFalse();
        assertThat(config.member().forceNewCluster()).isTrue();
        assertThat(config.member().limits().learnersMax()).isEqualTo(3);
        assertThat(config.cluster().isNew()).isFalse();
        assertThat(config.cluster().token()).isEqualTo("t");
        assertThat(config.advanceElection()).isFalse();
        assertThat(config.peerListeners()).singleElement().satisfies(peer -> assertThat(peer.getPort()).isEqualTo(7));
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
