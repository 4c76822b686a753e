package dev.quoin.ctl.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** cobra's rules, asked of a small tree. */
class CommandLineTest {
    private final ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    private final ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    private final PrintStream err = new PrintStream(errBytes, true, StandardCharsets.UTF_8);
    private @Nullable Invocation invocation;

    private final Command root = new Command("tool", "A tool.").handingDown(
            Flag.string("format", "simple", "a `kind` of output").orShort('w').hidden(),
            Flag.bool("debug", "").hidden(),
            Flag.of("wait", Flag.Kind.DURATION, "5s", "").hidden(),
            Flag.of("hosts", Flag.Kind.STRINGS, "h:1", "").hidden()).endingHelpWith("Try \"tool options\".\n")
            .of(new Command("get <key>", "Gets").taking(Flag.number("limit", "how many"), Flag.bool("all", "every one"),
                    Flag.bool("interactive", "ask").orShort('i')).doing(this::note),
                    new Command("lease <subcommand>", "Leases")
                            .of(new Command("list", "Lists").doing(this::note),
                                    new Command("grant", "Grants").doing(this::note)),
                    new Command("lock <name>", "Locks").doing(this::note),
                    new Command("shell [a|b]", "Shells").withoutFlagsInUse().choosing("a", "b").doing(this::note));

    private void note(Invocation invocation) {
        this.invocation = invocation;
    }

    private Invocation run(String... words) {
        invocation = null;
        outBytes.reset();
        errBytes.reset();
        new CommandLine(root, new PrintStream(outBytes, true, StandardCharsets.UTF_8), err).run(List.of(words));
        if (invocation == null) {
            throw new AssertionError("nothing ran: " + out());
        }
        return invocation;
    }

    private String out() {
        return outBytes.toString(StandardCharsets.UTF_8);
    }

    private String refusal(String... words) {
        assertThatThrownBy(() -> run(words)).isInstanceOfSatisfying(Failure.class, why -> {
            assertThat(why.exitCode()).isEqualTo(1);
            assertThat(why.isTold()).isFalse();
        });
        assertThat(out()).isEmpty();
        return errBytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void flagsStandAnywhere() {
        Invocation run = run("-w", "json", "get", "--limit", "3", "k", "--all", "--wait=1m", "end");
        assertThat(run.arguments()).containsExactly("k", "end");
        assertThat(run.flags().text("format")).isEqualTo("json");
        assertThat(run.flags().number("limit")).isEqualTo(3);
        assertThat(run.flags().isOn("all")).isTrue();
        assertThat(run.flags().number("wait")).isEqualTo(60_000_000_000L);
        assertThat(run.flags().texts("hosts")).containsExactly("h:1");
        assertThat(run.words().get(0)).isEqualTo("tool");
    }

    @Test
    void theLastOfAFlagCountsAndListsGrow() {
        Invocation run = run("get", "--limit=1", "--limit=2", "--hosts=a,b", "--hosts", "c", "--all=false");
        assertThat(run.flags().number("limit")).isEqualTo(2);
        assertThat(run.flags().texts("hosts")).containsExactly("a", "b", "c");
        assertThat(run.flags().isOn("all")).isFalse();
        assertThat(run.flags().isGiven("all")).isTrue();
    }

    @Test
    void whatMayBeChosenIsChecked() {
        assertThat(run("shell", "b").arguments()).containsExactly("b");
        assertThat(refusal("shell")).startsWith(
                "Error: accepts 1 arg(s), received 0\nUsage:\n  tool shell [a|b]\n\nFlags:\n");
        assertThat(refusal("shell", "c")).startsWith("Error: invalid argument \"c\" for \"tool shell\"\nUsage:\n");
    }

    @Test
    void behindTwoDashesThereAreOnlyArguments() {
        assertThat(run("get", "--", "--limit", "-i").arguments()).containsExactly("--limit", "-i");
        assertThat(run("get", "-", "", "k").arguments()).containsExactly("-", "", "k");
    }

    @Test
    void lettersCombine() {
        Invocation run = run("get", "-iwjson", "k");
        assertThat(run.flags().isOn("interactive")).isTrue();
        assertThat(run.flags().text("format")).isEqualTo("json");
        assertThat(run("get", "-w=json").flags().text("format")).isEqualTo("json");
    }

    @Test
    void aUniqueBeginningIsEnough() {
        assertThat(run("lea", "li").command().path()).isEqualTo("tool lease list");
        assertThat(run("--debug", "lease", "-w", "json", "grant", "5").arguments()).containsExactly("5");
    }

    @Test
    void whatNobodyKnowsIsRefusedInCobrasWords() {
        assertThat(refusal("gat", "k")).isEqualTo(
                "Error: unknown command \"gat\" for \"tool\"\n\nDid you mean this?\n\tget\n\nRun 'tool --help' for usage.\n");
        assertThat(refusal("l")).startsWith("Error: unknown command \"l\" for \"tool\"");
        String usage = """
                Usage:
                  tool get <key> [flags]

                Flags:
                      --all           every one
                  -h, --help          help for get
                  -i, --interactive   ask
                      --limit int     how many

                """;
        assertThat(refusal("get", "--nope")).isEqualTo("Error: unknown flag: --nope\n" + usage);
        assertThat(refusal("get", "-x")).isEqualTo("Error: unknown shorthand flag: 'x' in -x\n" + usage);
        assertThat(refusal("get", "--limit")).startsWith("Error: flag needs an argument: --limit\n");
        assertThat(refusal("get", "-w")).startsWith("Error: flag needs an argument: 'w' in -w\n");
        assertThat(refusal("get", "--limit=x")).startsWith(
                "Error: invalid argument \"x\" for \"--limit\" flag: strconv.ParseInt: parsing \"x\": invalid syntax\n");
        assertThat(refusal("get", "---")).startsWith("Error: bad flag syntax: ---\n");
    }

    @Test
    void aFamilyExplainsItself() {
        CommandLine line = new CommandLine(root, new PrintStream(outBytes, true, StandardCharsets.UTF_8), err);
        line.run(List.of("lease", "nonsense"));
        assertThat(out()).isEqualTo("""
                Leases

                Usage:
                  tool lease [command]

                Available Commands:
                  grant       Grants
                  list        Lists

                Flags:
                  -h, --help   help for lease

                Use "tool lease [command] --help" for more information about a command.
                Try "tool options".
                """);
        assertThat(errBytes.size()).isZero();
    }

    @Test
    void theEnvironmentStandsForInheritedFlags() {
        Invocation run = run("get", "k");
        environment(Map.of("TOOL_FORMAT", "json", "TOOL_HOSTS", "x:1,y:2", "TOOL_DEBUG", "")).applyTo(run, List.of());
        assertThat(run.flags().text("format")).isEqualTo("json");
        assertThat(run.flags().texts("hosts")).containsExactly("x:1", "y:2");
        assertThat(run.flags().isOn("debug")).isFalse();
    }

    @Test
    void aVariableBesideItsFlagIsTheEnd() {
        Invocation run = run("get", "k", "-w", "json");
        assertThatThrownBy(() -> environment(Map.of("TOOL_FORMAT", "fields")).applyTo(run, List.of()))
                .isInstanceOf(Failure.class);
        assertThat(errBytes.toString(StandardCharsets.UTF_8)).contains("\"level\":\"fatal\"")
                .contains("\"environment-variable\":\"TOOL_FORMAT\"");
    }

    @Test
    void aVariableThatIsNoFlagIsWarnedOf() {
        Invocation run = run("get", "k");
        environment(Map.of("TOOL_API", "3", "TOOL_LIMIT", "1", "OTHER", "x", "TOOL_KEY", "k")).applyTo(run,
                List.of("TOOL_KEY"));
        String warnings = errBytes.toString(StandardCharsets.UTF_8);
        assertThat(warnings.lines()).hasSize(2);
        assertThat(warnings)
                .contains("\"msg\":\"unrecognized environment variable\",\"environment-variable\":\"TOOL_API=3\"");
        assertThat(run.flags().number("limit")).isZero();
    }

    private Environment environment(Map<String, String> variables) {
        return new Environment("TOOL", variables, new Log(err));
    }
}
