package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** The commands of docs/locks.md do what it says of them. */
@Tag("interop")
class LocksGuideTest {
    private static final Pattern BLOCK = Pattern.compile("(?s)```\n(.*?)```");

    @Test
    void whoHasLostTheLockCannotWrite(@TempDir Path home) throws Exception {
        List<String> blocks = BLOCK.matcher(Files.readString(Path.of("../docs/locks.md"))).results()
                .map(MatchResult::group).map(block -> block.replace("```\n", "").replace("```", "")).toList();
        int first = indexOf(blocks, "lease grant");
        List<String> fencing = new ArrayList<>(blocks.subList(first, blocks.size()));
        assertThat(fencing).as("the blocks of the section about fencing").hasSize(4);
        fencing.addFirst("set -eu\n");
        Program.Result result;
        try (ServerProcess server = ServerProcess.started(home)) {
            Path tools = Tools.built("etcdctl").getParent();
            result = Program.of(Path.of("/bin/bash"), "-c").within(Duration.ofMinutes(1))
                    .with("ETCDCTL_ENDPOINTS", server.clientUrl()).with("PATH", tools + ":" + System.getenv("PATH"))
                    .run(String.join("\n", fencing));
        }
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        List<String> answers = result.lines().stream()
                .filter(line -> line.equals("SUCCESS") || line.equals("FAILURE") || line.equals("one")
                        || line.equals("two"))
                .toList();
        assertThat(answers).as(result.stdout()).containsExactly("SUCCESS", "FAILURE", "one");
    }

    /** A holder and a waiter, seen as the queue that they are; the waiter's turn comes when the holder ends. */
    @Test
    void theQueueIsKeysInTheOrderOfTheirCreation(@TempDir Path home) throws Exception {
        try (ServerProcess server = ServerProcess.started(home)) {
            Path etcdctl = Tools.built("etcdctl");
            Program asked = Program.of(etcdctl, "--endpoints=" + server.clientUrl());
            Process holder = locking(etcdctl, server);
            try {
                String held = awaitQueue(asked, 1).getFirst();
                Process waiter = locking(etcdctl, server);
                try {
                    List<String> queue = awaitQueue(asked, 2);
                    assertThat(queue.getFirst()).isEqualTo(held);
                    asked.run("lease", "revoke", held.substring("jobs/".length()));
                    assertThat(waiter.inputReader().readLine()).isEqualTo(queue.getLast());
                } finally {
                    waiter.destroyForcibly().waitFor();
                }
            } finally {
                holder.destroyForcibly().waitFor();
            }
        }
    }

    private static Process locking(Path etcdctl, ServerProcess server) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(etcdctl.toString(), "--endpoints=" + server.clientUrl(), "lock",
                "jobs");
        Program.leaveOnlyPath(builder.environment());
        return builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    private static List<String> awaitQueue(Program etcdctl, int length) throws Exception {
        while (true) {
            List<String> keys = etcdctl.run("get", "--prefix", "jobs/", "--sort-by=CREATE", "--keys-only").lines()
                    .stream().filter(line -> !line.isBlank()).toList();
            if (keys.size() == length) {
                return keys;
            }
            Thread.sleep(10);
        }
    }

    private static int indexOf(List<String> blocks, String words) {
        for (int i = 0; i < blocks.size(); i++) {
            if (blocks.get(i).contains(words)) {
                return i;
            }
        }
        throw new AssertionError("no block of docs/locks.md has " + words);
    }
}
