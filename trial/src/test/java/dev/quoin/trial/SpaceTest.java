package dev.quoin.trial;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Half of what was written is deleted and compacted: the bytes come back on the file system by themselves, while writes go
 * on, and what is left is right. trial/go's {@code spacecheck} judges; figures are for {@code ./quoin dev qualify space}.
 */
@Tag("interop")
class SpaceTest {
    @Test
    void bytesComeBackWithoutDefragment(@TempDir Path home) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--name", "quoin", "--megabytes", "192", "--quiet", "1s",
                "--within", "60s", "--dir", home.toString(), "--", ServerProcess.image().toString()));
        arguments.addAll(List.of("--data-dir", "{data}", "--listen-client-urls", "{client}", "--advertise-client-urls",
                "{client}", "--listen-peer-urls", "{peer}", "--initial-advertise-peer-urls", "{peer}",
                "--initial-cluster", "default={peer}"));
        Program.Result result = Program.of(Tools.built("spacecheck")).within(Duration.ofMinutes(3))
                .run(arguments.toArray(String[]::new));
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.stdout()).contains("ok   what is left is right");
    }
}
