package dev.quoin.ctl.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** What shells are offered, in the lines that cobra's scripts read. */
class CompletionTest {
    private final Command root = new Command("tool", "A tool.")
            .handingDown(Flag.string("format", "simple", "a kind of output").orShort('w').offering("json", "simple")
                    .hidden())
            .of(new Command("get <key>", "Gets").taking(Flag.number("limit", "how many"), Flag.bool("all", "every one"))
                    .doing(invocation -> {}),
                    new Command("lease <subcommand>", "Leases").of(
                            new Command("list", "Lists").doing(invocation -> {}),
                            new Command("old", "As it was").hidden().doing(invocation -> {})),
                    new Command("script [a|b]", "Scripts").choosing("a", "b").doing(invocation -> {}));

    private String complete(String command, String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        List<String> line = new ArrayList<>(List.of(command));
        line.addAll(List.of(words));
        new CommandLine(root, new PrintStream(out, false, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8)).run(line);
        assertThat(err.toString(StandardCharsets.UTF_8))
                .startsWith("Completion ended with directive: ShellCompDirective");
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void commandsAreOfferedWithWhatTheyAre() {
        assertThat(complete("__complete", "")).isEqualTo("get\tGets\nlease\tLeases\nscript\tScripts\n:4\n");
        assertThat(complete("__completeNoDesc", "-w", "json", "l")).isEqualTo("lease\n:4\n");
    }

    @Test
    void whatIsHiddenIsNotOffered() {
        assertThat(complete("__complete", "lease", "")).isEqualTo("list\tLists\n:4\n");
        assertThat(complete("__complete", "get", "--")).isEqualTo(
                "--all\tevery one\n--help\thelp for get\n--limit\thow many\n:4\n");
    }

    @Test
    void valuesOfFlagsAreOffered() {
        assertThat(complete("__complete", "get", "-w", "")).isEqualTo("json\nsimple\n:0\n");
        assertThat(complete("__complete", "get", "--format", "j")).isEqualTo("json\n:0\n");
        assertThat(complete("__complete", "get", "--format=s")).isEqualTo("simple\n:0\n");
        assertThat(complete("__complete", "get", "--limit", "")).isEqualTo(":0\n");
    }

    @Test
    void argumentsAreFilesUnlessTheyAreSaid() {
        assertThat(complete("__complete", "get", "k")).isEqualTo(":0\n");
        assertThat(complete("__complete", "script", "")).isEqualTo("a\nb\n:4\n");
        assertThat(complete("__complete", "get", "--", "-")).isEqualTo(":0\n");
    }
}
