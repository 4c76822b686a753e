package dev.quoin.trial;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** The script {@code etcd}, given a runtime that only says how it was called. */
class LauncherTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path temp;
    @SuppressWarnings("NullAway.Init")
    private Path home;

    @BeforeEach
    void anImage() throws IOException {
        home = temp.toRealPath().resolve("a home");
        Files.createDirectories(home.resolve("bin"));
        Files.copy(Path.of("..", "dist", "src", "image", "bin", "etcd"), home.resolve("bin/etcd"));
        executable(home.resolve("bin/etcd"));
        runtime(home.resolve("runtime"));
    }

    private static void runtime(Path directory) throws IOException {
        Files.createDirectories(directory.resolve("bin"));
        Files.writeString(directory.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
        Path java = directory.resolve("bin/java");
        Files.writeString(java, """
                #!/bin/sh
                echo "pid=$$"
                echo "java=$0"
                echo "locale=${LC_ALL:-}"
                echo "cwd=$PWD"
                for argument; do echo "[$argument]"; done
                """);
        executable(java);
    }

    private static void executable(Path file) {
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private record Run(long pid, List<String> lines) {}

    private Run run(Path directory, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().put("PATH", "/usr/bin:/bin");
        builder.environment().putAll(environment);
        Process process = builder.start();
        List<String> lines = new ArrayList<>(
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList());
        assertThat(process.waitFor()).as("%s", lines).isZero();
        return new Run(process.pid(), lines);
    }

    @Test
    void theProcessBecomesTheRuntimeOfItsImageWithItsArguments() throws Exception {
        Run run = run(temp, Map.of(), home.resolve("bin/etcd").toString(), "--name", "a b", "");

        assertThat(run.lines).startsWith("pid=" + run.pid, "java=" + home.resolve("runtime/bin/java"));
        assertThat(run.lines).contains("cwd=" + temp.toRealPath(), "[" + home + "/lib/*]");
        assertThat(run.lines).endsWith("[dev.quoin.server.Main]", "[--name]", "[a b]", "[]");
    }

    @Test
    void linksAreFollowed() throws Exception {
        Files.createSymbolicLink(temp.resolve("second"), home.resolve("bin/etcd"));
        Files.createSymbolicLink(temp.resolve("first"), Path.of("second"));

        assertThat(run(temp, Map.of(), "./first").lines).contains("[" + home + "/lib/*]");
    }

    @Test
    void cdpathLeadsNowhere() throws Exception {
        Files.createDirectories(temp.resolve("elsewhere/bin"));

        Run run = run(home, Map.of("CDPATH", temp.resolve("elsewhere").toString()), "bin/etcd");

        assertThat(run.lines).contains("[" + home + "/lib/*]");
    }

    @Test
    void namesBeyondAsciiNeedALocaleThatHasThem() throws Exception {
        assertThat(run(temp, Map.of("LANG", "C"), home.resolve("bin/etcd").toString()).lines)
                .contains("locale=C.UTF-8");
    }

    @Test
    void aRuntimeOnThePathIsFoundByWhatItIsALinkTo() throws Exception {
        Files.move(home.resolve("runtime"), temp.resolve("jdk"));
        Files.createDirectories(temp.resolve("links"));
        Files.createSymbolicLink(temp.resolve("links/java"), temp.resolve("jdk/bin/java"));
        // The usual places come first, and this machine may have a Java there.
        String script = Files.readString(home.resolve("bin/etcd")).replace("/usr/lib/jvm/", "/nonexistent/")
                .replace("/opt/j", "/nonexistent/").replace("/usr/local/openjdk", "/nonexistent/");
        Files.writeString(home.resolve("bin/etcd"), script);

        Run run = run(temp, Map.of("PATH", temp.resolve("links") + ":/usr/bin:/bin"),
                home.resolve("bin/etcd").toString());

        assertThat(run.lines).contains("java=" + temp.toRealPath().resolve("jdk/bin/java"));
    }
}
