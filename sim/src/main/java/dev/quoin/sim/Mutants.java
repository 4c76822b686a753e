package dev.quoin.sim;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

import org.jspecify.annotations.Nullable;

/**
 * Judges the judges: each {@link Mutation} is compiled into a folder of its own, which comes first on the class path of a
 * process that runs seeds until one is violated. A mistake that no seed finds is a hole in the simulator.
 */
final class Mutants {
    private static final long SECONDS_EACH = 150;
    private static final String FOUND = ": VIOLATION at ";

    private record Caught(String line, long seeds, long millis) {}

    private final Path root;
    private final Path work;
    private final String classPath = System.getProperty("java.class.path");

    private Mutants(Path root, Path work) {
        this.root = root;
        this.work = work;
    }

    /**
     * Runs those whose name contains {@code filter}; says whether all were caught.
     *
     * @param root of the repository
     */
    static boolean run(Path root, String filter) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory("quoin-mutants");
        try {
            Mutants mutants = new Mutants(root, work);
            List<Mutation> all = Mutation.ALL.stream().filter(mutation -> mutation.name().contains(filter)).toList();
            int caught = 0;
            for (Mutation mutation : all) {
                caught += mutants.isCaught(mutation) ? 1 : 0;
            }
            System.out.println(caught + " of " + all.size());
            return caught == all.size();
        } finally {
            delete(work);
        }
    }

    private boolean isCaught(Mutation mutation) throws IOException, InterruptedException {
        Path classes = compile(mutation);
        Caught caught = hunt(classes);
        if (caught == null) {
            System.out.println("NOT CAUGHT: " + mutation.name());
            return false;
        }
        System.out.printf(Locale.ROOT, "caught: %s (%d seeds, %.1f s)%n    %s%n", mutation.name(), caught.seeds,
                caught.millis / 1e3, caught.line);
        return true;
    }

    private Path compile(Mutation mutation) throws IOException {
        Path folder = Files.createTempDirectory(work, "mutant");
        Path classes = folder.resolve("classes");
        Files.createDirectories(folder.resolve("src"));
        Files.createDirectories(classes);
        List<Path> sources = new ArrayList<>();
        for (Mutation.Edit edit : mutation.edits()) {
            Path original = root.resolve(edit.file());
            Path source = folder.resolve("src").resolve(original.getFileName());
            Files.writeString(source, edit.appliedTo(Files.readString(original)));
            sources.add(source);
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new IllegalStateException("this Java has no compiler: run the mutants with a JDK");
        }
        StringWriter errors = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, Locale.ROOT,
                StandardCharsets.UTF_8)) {
            boolean compiled = compiler.getTask(errors, files, null,
                    List.of("-proc:none", "-nowarn", "-d", classes.toString(), "-cp", classPath), null,
                    files.getJavaFileObjects(sources.toArray(Path[]::new))).call();
            if (!compiled) {
                throw new IllegalStateException("\"" + mutation.name() + "\" does not compile:\n" + errors);
            }
        }
        return classes;
    }

    private @Nullable Caught hunt(Path classes) throws IOException, InterruptedException {
        long start = System.nanoTime();
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC", "-Xmx1g", "-cp", classes + java.io.File.pathSeparator + classPath,
                "dev.quoin.sim.Main", "--seed", "1", "--hours", "1000000").redirectErrorStream(true).start();
        Thread watchdog = Thread.ofVirtual().start(() -> destroyLate(process));
        String found = null;
        long seeds = 0;
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                seeds += line.endsWith(", ok") ? 1 : 0;
                found = found == null && line.contains(FOUND) ? line : found;
            }
        }
        process.waitFor();
        watchdog.interrupt();
        return found == null ? null : new Caught(found, seeds + 1, (System.nanoTime() - start) / 1_000_000);
    }

    private static void destroyLate(Process process) {
        try {
            if (!process.waitFor(SECONDS_EACH, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException caught) {
            Thread.currentThread().interrupt();
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    Files.delete(path);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
