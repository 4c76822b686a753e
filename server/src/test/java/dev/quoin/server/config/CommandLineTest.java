package dev.quoin.server.config;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** The command line as Go's flag package reads it, and the environment as etcd does. */
class CommandLineTest {
    private static Flags parse(String... args) throws Refused {
        return parse(Map.of(), args);
    }

    private static Flags parse(Map<String, String> environment, String... args) throws Refused {
        return ((Flags.Wish.Start) Flags.read(args, environment)).flags();
    }

    private static void assertRefused(Refused.Form form, String message, String... args) {
        assertRefused(form, message, Map.of(), args);
    }

    private static void assertRefused(Refused.Form form, String message, Map<String, String> environment,
            String... args) {
        Refused refused = catchThrowableOfType(Refused.class, () -> parse(environment, args));
        assertThat(refused).as(String.join(" ", args)).isNotNull();
        assertThat(refused.form() + ": " + refused.getMessage()).isEqualTo(form + ": " + message);
    }

    @Test
    void oneDashOrTwoWithOrWithoutAnEqualsSign() throws Refused {
        assertThat(parse("--name=a").text("name")).isEqualTo("a");
        assertThat(parse("-name", "a").text("name")).isEqualTo("a");
        assertThat(parse("--name", "--version").text("name")).as("any text is a value").isEqualTo("--version");
        assertThat(parse("--name=a=b").text("name")).isEqualTo("a=b");
        assertThat(parse("--name=").text("name")).isEmpty();
        assertThat(parse("--name", "a", "-name=b").text("name")).as("the last counts").isEqualTo("b");
        assertThat(parse("--pre-vote=F").isTrue("pre-vote")).isFalse();
        assertThat(parse("--force-new-cluster").isTrue("force-new-cluster")).isTrue();
    }

    @Test
    void helpAndVersionAreAskedFor() throws Refused {
        for (String help : List.of("--help", "-h", "--help=x")) {
            assertThat(Flags.read(new String[]{"--name=a", help, "--nope"}, Map.of()))
                    .isInstanceOf(Flags.Wish.Help.class);
        }
        assertThat(Flags.read(new String[]{"--version", "--name=a"}, Map.of("ETCD_NAME", "b")))
                .isInstanceOf(Flags.Wish.ShowVersion.class);
    }

    @Test
    void whatDoesNotParse() {
        assertRefused(Refused.Form.USAGE, "flag provided but not defined: -nope", "--nope");
        assertRefused(Refused.Form.USAGE, "flag provided but not defined: -experimental-compaction-batch-limit",
                "--experimental-compaction-batch-limit=1");
        assertRefused(Refused.Form.USAGE, "flag needs an argument: -name", "--name");
        assertRefused(Refused.Form.USAGE, "bad flag syntax: ---name", "---name");
        assertRefused(Refused.Form.USAGE, "bad flag syntax: --=a", "--=a");
        assertRefused(Refused.Form.USAGE, "invalid boolean value \"x\" for -pre-vote: parse error", "--pre-vote=x");
        assertRefused(Refused.Form.USAGE, "invalid value \"x\" for flag -max-txn-ops: parse error", "--max-txn-ops=x");
        assertRefused(Refused.Form.USAGE, "invalid value \"-1\" for flag -max-txn-ops: parse error",
                "--max-txn-ops=-1");
        assertRefused(Refused.Form.USAGE,
                "invalid value \"99999999999999999999\" for flag -max-txn-ops: value out of range",
                "--max-txn-ops=99999999999999999999");
        assertRefused(Refused.Form.USAGE,
                "invalid value \"9223372036854775808\" for flag -quota-backend-bytes: value out of range",
                "--quota-backend-bytes=9223372036854775808");
        assertRefused(Refused.Form.USAGE, "invalid value \"x\" for flag -max-concurrent-streams: strconv.ParseUint:"
                + " parsing \"x\": invalid syntax", "--max-concurrent-streams=x");
        assertRefused(Refused.Form.USAGE, "invalid value \"4294967296\" for flag -max-concurrent-streams:"
                + " strconv.ParseUint: parsing \"4294967296\": value out of range",
                "--max-concurrent-streams=4294967296");
        assertRefused(Refused.Form.USAGE, "invalid value \"5\" for flag -grpc-keepalive-min-time: parse error",
                "--grpc-keepalive-min-time=5");
        assertRefused(Refused.Form.USAGE, "invalid value \"other\" for flag -initial-cluster-state: invalid value",
                "--initial-cluster-state=other");
        assertRefused(Refused.Form.USAGE, "invalid value \"x\" for flag -v2-deprecation: invalid value \"x\"",
                "--v2-deprecation=x");
        assertRefused(Refused.Form.USAGE, "invalid value \"ftp://localhost:1\" for flag -advertise-client-urls:"
                + " URL scheme must be http, https, unix, or unixs: ftp://localhost:1",
                "--advertise-client-urls=ftp://localhost:1");
        assertRefused(Refused.Form.USAGE,
                "invalid value \"\" for flag -cors: URL scheme must be http, https, unix, or unixs: ", "--cors=");
        assertRefused(Refused.Form.USAGE, "invalid value \"X=true\" for flag -feature-gates: unrecognized feature gate:"
                + " X", "--feature-gates=X=true");
        assertRefused(Refused.Form.USAGE, "invalid value \"AllAlpha\" for flag -feature-gates: missing bool value for"
                + " AllAlpha", "--feature-gates=AllAlpha");
        assertRefused(Refused.Form.USAGE, "invalid value \"AllBeta=x\" for flag -feature-gates: invalid value of"
                + " AllBeta=x, err: strconv.ParseBool: parsing \"x\": invalid syntax", "--feature-gates=AllBeta=x");
    }

    @Test
    void whatIsNoFlagEndsTheFlags() {
        assertRefused(Refused.Form.CHECK, "\"start\" is not a valid flag", "start", "--nope");
        assertRefused(Refused.Form.CHECK, "\"--name\" is not a valid flag", "--", "--name", "a");
        assertRefused(Refused.Form.CHECK, "\"-\" is not a valid flag", "-");
        assertRefused(Refused.Form.CHECK, "\"false\" is not a valid flag", "--pre-vote", "false");
    }

    @Test
    void numbersAreGos() throws Refused {
        assertThat(parse("--max-wals=0x10").number("max-wals")).isEqualTo(16);
        assertThat(parse("--max-wals=010").number("max-wals")).isEqualTo(8);
        assertThat(parse("--max-wals=1_000").number("max-wals")).isEqualTo(1_000);
        assertThat(parse("--quota-backend-bytes=-1").number("quota-backend-bytes")).isEqualTo(-1);
        assertThat(parse("--snapshot-count=18446744073709551615").count("snapshot-count"))
                .isEqualTo(Integer.MAX_VALUE);
        assertThat(parse("--grpc-keepalive-min-time=1m0.5s").text("grpc-keepalive-min-time")).isEqualTo("1m0.5s");
    }

    @Test
    void listsAreInOrderAndNothingLeavesTheUrlsAsTheyAre() throws Refused {
        assertThat(parse("--listen-peer-urls=http://b:1, http://a:1,http://b:1").urls("listen-peer-urls"))
                .containsExactly("http://a:1", "http://b:1");
        assertThat(parse("--listen-peer-urls=").urls("listen-peer-urls")).containsExactly("http://localhost:2380");
        assertThat(parse("--log-outputs=b,a,b").list("log-outputs")).containsExactly("a", "b");
        assertThat(parse("--cipher-suites=b,a").list("cipher-suites")).containsExactly("b", "a");
        assertThat(parse("--host-whitelist=").list("host-whitelist")).as("as etcd's").containsExactly("");
        assertThat(parse().list("discovery-endpoints")).isEmpty();
        assertThat(parse("--listen-client-urls=unix://localhost:1,unix:///run/s").urls("listen-client-urls"))
                .containsExactly("unix:///run/s", "unix://localhost:1");
    }

    @Test
    void gatesAddUpAndTheirOwnValueCountsMoreThanThatOfAll() throws Refused {
        Gates gates = parse("--feature-gates=AllAlpha=true", "--feature-gates=CompactHashCheck=false").gates();
        assertThat(gates.isOpen(Gate.COMPACT_HASH_CHECK)).isFalse();
        assertThat(gates.isOpen(Gate.LEASE_CHECKPOINT)).isTrue();
        assertThat(gates.isOpen(Gate.FAST_LEASE_KEEP_ALIVE)).as("beta is on").isTrue();
        assertThat(parse("--feature-gates=AllBeta=0").gates().isOpen(Gate.FAST_LEASE_KEEP_ALIVE)).isFalse();
        assertThat(parse("--feature-gates=AllBeta=0").gates())
                .hasToString("AllBeta=false,FastLeaseKeepAlive=false,TxnModeWriteWithSharedBuffer=false");
    }

    @Test
    void theEnvironmentCountsWhereNoFlagIsGiven() throws Refused {
        Flags flags = parse(Map.of("ETCD_DATA_DIR", "/d", "ETCD_NAME", "", "ETCD_OTHER", "x", "PATH", "y",
                "ETCD_VERSION", "1"), "--max-wals=1");
        assertThat(flags.text("data-dir")).isEqualTo("/d");
        assertThat(flags.text("name")).as("an empty variable is none").isEqualTo("default");
        assertThat(flags.notes()).containsExactlyInAnyOrder(
                Note.warning("cannot set special environment variable", Map.of("key", "ETCD_VERSION", "value", "1")),
                Note.info("recognized and used environment variable",
                        Map.of("variable-name", "ETCD_DATA_DIR", "variable-value", "/d")),
                Note.warning("unrecognized environment variable", Map.of("environment-variable", "ETCD_NAME=")),
                Note.warning("unrecognized environment variable", Map.of("environment-variable", "ETCD_OTHER=x")));
    }

    @Test
    void aVariableThatIsShadowedOrDoesNotParseIsRefused() {
        String conflict = "conflicting environment variable is shadowed by corresponding command-line flag"
                + " (either unset environment variable or disable flag))";
        assertRefused(Refused.Form.FATAL, conflict, Map.of("ETCD_NAME", "b"), "--name=a");
        assertRefused(Refused.Form.FATAL, conflict, Map.of("ETCD_NAME", "", "ETCD_MAX_WALS", "x"), "--name=a");
        assertRefused(Refused.Form.CHECK, "invalid value \"x\" for ETCD_MAX_WALS: parse error",
                Map.of("ETCD_MAX_WALS", "x", "ETCD_MAX_TXN_OPS", "y"));
    }
}
