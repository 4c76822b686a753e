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
        assertThat(run.lines).contains("cwd=" + temp.toRealPath(), "[" + home + "/lib/quoin.jar]");
        assertThat(run.lines).endsWith("[dev.quoin.server.Main]", "[--name]", "[a b]", "[]");
    }

    @Test
    void quoinIsTheMemberAndMoreThanThat() throws Exception {
        Files.copy(Path.of("..", "dist", "src", "image", "bin", "quoin"), home.resolve("bin/quoin"));
        executable(home.resolve("bin/quoin"));
        String quoin = home.resolve("bin/quoin").toString();

        assertThat(run(temp, Map.of(), quoin, "--name", "cert").lines).endsWith("[dev.quoin.server.Main]", "[--name]",
                "[cert]");
        assertThat(run(temp, Map.of(), quoin, "cert", "m1=a b").lines).endsWith("[dev.quoin.cert.Main]", "[m1=a b]");
        assertThat(run(temp, Map.of(), quoin, "doctor", "d").lines).endsWith("[dev.quoin.utl.doctor.Main]", "[d]");
        assertThat(run(temp, Map.of(), quoin, "inspect", "list", "f").lines).endsWith("[dev.quoin.utl.inspect.Main]",
                "[list]", "[f]");
    }

    @Test
    void theVersionIsSaidWithoutARuntime() throws Exception {
        for (String flag : List.of("--version", "-version")) {
            assertThat(run(temp, Map.of(), home.resolve("bin/etcd").toString(), flag).lines)
                    .containsExactly("etcd Version: 3.7.1", "Quoin Version: 0.1.0", "Java Version: 25.0.1");
        }
        // With anything else it is for those who parse flags.
        assertThat(run(temp, Map.of(), home.resolve("bin/etcd").toString(), "--version", "--name=x").lines)
                .endsWith("[--version]", "[--name=x]");
        Files.copy(Path.of("..", "dist", "src", "image", "bin", "etcdctl"), home.resolve("bin/etcdctl"));
        executable(home.resolve("bin/etcdctl"));
        assertThat(run(temp, Map.of(), home.resolve("bin/etcdctl").toString(), "version").lines)
                .containsExactly("etcdctl version: 3.7.1", "API version: 3.7");
        Run version = run(temp, Map.of(), home.resolve("bin/etcdctl").toString(), "version", "-w", "json");
        assertThat(version.lines).startsWith("pid=" + version.pid).endsWith("[version]", "[-w]", "[json]");
    }

    @Test
    void etcdutlSaysItsVersionWithoutARuntimeToo() throws Exception {
        Files.copy(Path.of("..", "dist", "src", "image", "bin", "etcdutl"), home.resolve("bin/etcdutl"));
        executable(home.resolve("bin/etcdutl"));
        String etcdutl = home.resolve("bin/etcdutl").toString();
        assertThat(run(temp, Map.of(), etcdutl, "version").lines).containsExactly("etcdutl version: 3.7.1",
                "API version: 3.7");
        assertThat(run(temp, Map.of(), etcdutl, "version", "-w", "json").lines).endsWith("[dev.quoin.utl.Main]", "[version]",
                "[-w]", "[json]");
    }

    @Test
    void linksAreFollowed() throws Exception {
        Files.createSymbolicLink(temp.resolve("second"), home.resolve("bin/etcd"));
        Files.createSymbolicLink(temp.resolve("first"), Path.of("second"));

        assertThat(run(temp, Map.of(), "./first").lines).contains("[" + home + "/lib/quoin.jar]");
    }

    @Test
    void cdpathLeadsNowhere() throws Exception {
        Files.createDirectories(temp.resolve("elsewhere/bin"));

        Run run = run(home, Map.of("CDPATH", temp.resolve("elsewhere").toString()), "bin/etcd");

        assertThat(run.lines).contains("[" + home + "/lib/quoin.jar]");
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

    /** The script, on a machine with so much memory and so many processors, in a container with this limit. */
    private void machine(long kibibytes, int processors, String memoryMax) throws IOException {
        Path machine = Files.createDirectories(temp.resolve("machine"));
        Files.writeString(machine.resolve("meminfo"), "MemTotal:       %d kB\nMemFree: 1 kB\n".formatted(kibibytes));
        Files.writeString(machine.resolve("group"), "0::/a/b\n");
        Files.createDirectories(machine.resolve("cgroup/a/b"));
        Files.writeString(machine.resolve("cgroup/a/b/memory.max"), memoryMax + "\n");
        for (int i = 0; i < processors; i++) {
            Files.createDirectories(machine.resolve("cpu/cpu" + i));
        }
        Files.writeString(home.resolve("bin/etcd"), Files.readString(home.resolve("bin/etcd"))
                .replace("/proc/meminfo", machine + "/meminfo").replace("/proc/self/cgroup", machine + "/group")
                .replace("/sys/fs/cgroup", machine + "/cgroup").replace("/sys/devices/system/cpu", machine + "/cpu"));
    }

    private List<String> options(String own) throws Exception {
        return run(temp, Map.of("QUOIN_JAVA_OPTS", own), home.resolve("bin/etcd").toString()).lines;
    }

    @Test
    void aContainerOf512MebibytesHasHalfOfThemAsHeap() throws Exception {
        machine(24L << 20, 64, "536870912");
        assertThat(options("")).contains("[-Xmx256m]", "[-XX:MaxDirectMemorySize=102m]", "[-XX:+UseSerialGC]",
                "[-Dquoin.collector=Serial]");
    }

    @Test
    void aSmallMachineHasOneCollectorAndALargeOneAnother() throws Exception {
        machine(8L << 20, 2, "max");
        assertThat(options("")).contains("[-Xmx4096m]", "[-XX:+UseSerialGC]");
        machine(64L << 20, 16, "max");
        assertThat(options("")).as("as far as compressed references reach").contains("[-Xmx31744m]", "[-XX:+UseG1GC]")
                .doesNotContain("[-XX:+UseSerialGC]");
    }

    @Test
    void oneSettingCountsMoreThanAllThat() throws Exception {
        machine(64L << 20, 16, "max");
        List<String> options = options("-Xmx1g -XX:+UseParallelGC");
        assertThat(options).containsSubsequence("[-Xmx31744m]", "[-Xmx1g]", "[-XX:+UseParallelGC]", "[-cp]");
        assertThat(options).doesNotContain("[-XX:+UseG1GC]").contains("[-Dquoin.collector=own]");
    }

    @Test
    void whatARehearsalHasLeftIsUsed() throws Exception {
        assertThat(options("")).noneMatch(option -> option.contains("AOT"));
        Files.createDirectories(home.resolve("lib"));
        Files.createFile(home.resolve("lib/quoin.aot"));
        assertThat(options("")).contains("[-XX:AOTCache=" + home + "/lib/quoin.aot]");
    }
}
