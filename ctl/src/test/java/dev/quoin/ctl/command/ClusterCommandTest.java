package dev.quoin.ctl.command;

import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.quoin.ctl.cli.CommandLine;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Streams;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What is no cluster; what is one, trial starts. */
class ClusterCommandTest {
    private static void refuses(String why, String... words) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
        Streams streams = new Streams(new ByteArrayInputStream(new byte[0]), nowhere, nowhere, Map.of());
        assertThatThrownBy(
                () -> new CommandLine(QuoinCommands.all(streams), nowhere, nowhere).run(List.of(words)))
                .isInstanceOf(Failure.class).hasMessage(why);
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        for (String number : List.of("0", "10", "three", "-")) {
            refuses("cluster needs a number of members, 1 to 9", "cluster", number);
        }
        refuses("cluster needs a number of members, 1 to 9", "cluster");
        refuses("flags of members stand behind --, and begin with a dash: 4", "cluster", "3", "4");
        refuses("--endpoints says nothing about a cluster that is started here", "cluster", "3", "--endpoints=h:1");
        refuses("cluster is started by bin/quoin, which says where the image is (QUOIN_HOME)", "cluster", "3");
    }
}
