package dev.quoin.trial;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The scripts in {@code bin}, given a runtime that only says how it was called. */
class LauncherTest {
    private static final Path IMAGE = Path.of("..", "dist", "src", "image");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path temp;
    @SuppressWarnings("NullAway.Init")
    private Path home;

    @BeforeEach
    void anImage() throws IOException {
        home = temp.toRealPath().resolve("a home");
        for (String folder : List.of("bin", "help")) {
            Files.createDirectories(home.resolve(folder));
            for (Path file : files(IMAGE.resolve(folder))) {
                Files.copy(file, home.resolve(folder).resolve(file.getFileName()));
            }
        }
        for (Path script : files(home.resolve("bin"))) {
            executable(script);
        }
        Files.createDirectories(home.resolve("lib"));
        Files.copy(Path.of("../base/src/main/resources/dev/quoin/base/versions"), home.resolve("lib/versions"));
        runtime(home.resolve("runtime"));
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
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

    private record Run(long pid, List<String> lines, int exitCode) {}

    private Run run(Path directory, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        Run run = runToAnyEnd(directory, environment, command);
        assertThat(run.exitCode).as("%s", run.lines).isZero();
        return run;
    }

    /** A script of the image in an environment that has nothing but a path. */
    private List<String> says(String script, String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(home.resolve("bin").resolve(script).toString()));
        command.addAll(List.of(words));
        return run(temp, Map.of(), command.toArray(String[]::new)).lines;
    }

    private Run runToAnyEnd(Path directory, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().put("PATH", "/usr/bin:/bin");
        builder.environment().putAll(environment);
        Process process = builder.start();
        List<String> lines = new ArrayList<>(
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList());
        return new Run(process.pid(), lines, process.waitFor());
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
        assertThat(says("quoin")).endsWith("[dev.quoin.server.Main]");
        assertThat(says("quoin", "--name", "cert")).endsWith("[dev.quoin.server.Main]", "[--name]", "[cert]");
        assertThat(says("quoin", "cert", "m1=a b")).endsWith("[dev.quoin.cert.Main]", "[m1=a b]");
        assertThat(says("quoin", "ctl", "get", "")).endsWith("[dev.quoin.ctl.Main]", "[get]", "[]");
        assertThat(says("quoin", "utl", "snapshot")).endsWith("[dev.quoin.utl.Main]", "[snapshot]");
        assertThat(says("quoin", "doctor", "d")).endsWith("[dev.quoin.utl.doctor.Main]", "[d]");
        assertThat(says("quoin", "export", "d")).endsWith("[dev.quoin.utl.export.Main]", "[d]");
        assertThat(says("quoin", "inspect", "list", "f")).endsWith("[dev.quoin.utl.inspect.Main]", "[list]", "[f]");
        // Which there are, and what is said of others, is for the class to know.
        assertThat(says("quoin", "rollback", "k")).endsWith("[dev.quoin.ctl.QuoinMain]", "[rollback]", "[k]");
        assertThat(says("quoin", "rolback", "k")).endsWith("[dev.quoin.ctl.QuoinMain]", "[rolback]", "[k]");
    }

    @Test
    void theGatewayIsAnotherProgramAndTheProxyIsRefused() throws Exception {
        for (String script : List.of("etcd", "quoin")) {
            assertThat(says(script, "gateway", "start", "a b")).contains("[--enable-native-access=ALL-UNNAMED]")
                    .endsWith("[dev.quoin.ctl.gateway.Main]", "[gateway]", "[start]", "[a b]");
            Run refused = runToAnyEnd(temp, Map.of(), home.resolve("bin").resolve(script).toString(), "grpc-proxy",
                    "start");
            assertThat(refused.exitCode).isEqualTo(1);
            assertThat(refused.lines).singleElement().asString().startsWith("etcd: grpc-proxy is not served: ");
        }
    }

    @Test
    void helpNeedsNoRuntime() throws Exception {
        Files.delete(home.resolve("runtime/bin/java"));
        List<String> overview = Files.readAllLines(IMAGE.resolve("help/quoin.txt"));
        assertThat(says("quoin", "help")).isEqualTo(overview);
        assertThat(says("quoin", "--help")).isEqualTo(overview);
        for (Path page : files(IMAGE.resolve("help"))) {
            String topic = page.getFileName().toString().replace(".txt", "");
            assertThat(says("quoin", "help", topic)).isEqualTo(Files.readAllLines(page));
            if (!topic.equals("quoin")) {
                assertThat(overview).as("the overview lists %s", topic)
                        .anyMatch(line -> line.startsWith("  " + topic + " "));
            }
        }
        assertThat(overview.stream().dropWhile(line -> !line.equals("Topics:")).skip(1)
                .takeWhile(line -> !line.isEmpty()).map(line -> line.strip().split(" ", 2)[0]))
                .as("what the overview lists is there").allSatisfy(
                        topic -> assertThat(IMAGE.resolve("help").resolve(topic + ".txt")).isRegularFile());
    }

    @Test
    void helpAboutASubcommandIsItsOwn() throws Exception {
        assertThat(says("quoin", "help", "ctl")).endsWith("[dev.quoin.ctl.Main]", "[--help]");
        assertThat(says("quoin", "help", "rollback")).endsWith("[dev.quoin.ctl.QuoinMain]", "[rollback]", "[--help]");
    }

    @Test
    void theVersionIsSaidWithoutARuntime() throws Exception {
        String system = System.getProperty("os.name") + "/" + System.getProperty("os.arch");
        for (String script : List.of("etcd", "quoin")) {
            for (String flag : List.of("--version", "-version")) {
                assertThat(says(script, flag)).containsExactly("etcd Version: 3.7.1", "Quoin Version: 0.1.0",
                        "Java Version: 25.0.1", "OS/Arch: " + system);
            }
        }
        // With anything else it is for those who parse flags.
        assertThat(says("etcd", "--version", "--name=x")).endsWith("[--version]", "[--name=x]");
        assertThat(says("etcdctl", "version")).containsExactly("etcdctl version: 3.7.1", "API version: 3.7");
        assertThat(says("etcdctl", "--version")).isEqualTo(says("etcdctl", "version"));
        assertThat(says("etcdctl", "version", "-w", "json")).endsWith("[dev.quoin.ctl.Main]", "[version]", "[-w]",
                "[json]");
        assertThat(says("etcdutl", "version")).containsExactly("etcdutl version: 3.7.1", "API version: 3.7");
        assertThat(says("etcdutl", "--version")).isEqualTo(says("etcdutl", "version"));
    }

    @Test
    void theVersionIsSaidWhereThereIsNoJava() throws Exception {
        Files.delete(home.resolve("runtime/bin/java"));
        withoutTheUsualPlaces();
        Map<String, String> empty = Map.of("PATH", Files.createDirectories(temp.resolve("empty")).toString());
        String etcd = home.resolve("bin/etcd").toString();

        assertThat(run(temp, empty, etcd, "--version").lines).startsWith("etcd Version: 3.7.1", "Quoin Version: 0.1.0",
                "Java Version: none that is new enough");
        assertThat(runToAnyEnd(temp, empty, etcd).lines).singleElement().asString()
                .startsWith("etcd: no Java 25 or newer was found.");
    }

    @Test
    void anEmptyEnvironmentIsEnough() throws Exception {
        for (String script : List.of("etcd", "etcdctl", "etcdutl", "quoin")) {
            assertThat(run(temp, Map.of(), "/usr/bin/env", "-i", home.resolve("bin").resolve(script).toString(),
                    "x").lines).endsWith("[x]");
        }
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
        withoutTheUsualPlaces();

        Run run = run(temp, Map.of("PATH", temp.resolve("links") + ":/usr/bin:/bin"),
                home.resolve("bin/etcd").toString());

        assertThat(run.lines).contains("java=" + temp.toRealPath().resolve("jdk/bin/java"));
    }

    /** They come before the path, and this machine may have a Java there. */
    private void withoutTheUsualPlaces() throws IOException {
        String script = Files.readString(home.resolve("bin/etcd")).replace("/usr/lib/jvm/", "/nonexistent/")
                .replace("/opt/j", "/nonexistent/").replace("/usr/local/openjdk", "/nonexistent/");
        Files.writeString(home.resolve("bin/etcd"), script);
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

    /** Left to itself Serial moves what lives for a moment to the old generation (docs/decisions/0004). */
    @ParameterizedTest
    @CsvSource({"'', 32", "-Xmx512m, 32", "-Xmx2g, 32", "-Xmx49152K, 16", "-Xmx48M -XX:MaxDirectMemorySize=128m, 16",
        "-Xmx16m, 0", "-Xmx536870912, 0", "-Xmx, 0", "-Xmxm, 0", "-Xmxnonsense, 0", "-Xms64m, 0", "-Xmx1g -Xmn100m, 0",
        "-Xmn100m -Xmx1g, 0",
        "-XX:NewSize=8m, 0", "-XX:MaxRAMPercentage=25, 0", "-XX:MaxHeapFreeRatio=30, 32"})
    void theYoungGenerationIsGivenItsSizeWhateverTheHeapIs(String own, int mebibytes) throws Exception {
        machine(8L << 20, 2, "max");
        List<String> given = options(own).stream()
                .filter(option -> option.matches("\\[-Xms.*]|\\[-XX:.*NewSize=.*]") && !own.contains(
                        option.substring(1, option.length() - 1)) && !option.equals("[-Xms16m]"))
                .toList();
        if (mebibytes == 0) {
            assertThat(given).isEmpty();
        } else {
            assertThat(given).containsExactly("[-Xms" + (mebibytes + 16) + "m]", "[-XX:NewSize=" + mebibytes + "m]",
                    "[-XX:MaxNewSize=" + mebibytes + "m]");
        }
    }

    @Test
    void whatARehearsalHasLeftIsUsed() throws Exception {
        assertThat(options("")).noneMatch(option -> option.contains("AOT"));
        Files.createFile(home.resolve("lib/quoin.aot"));
        assertThat(options("")).contains("[-XX:AOTCache=" + home + "/lib/quoin.aot]");
    }
}
