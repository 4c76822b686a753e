package dev.quoin.trial;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

import org.junit.jupiter.api.Assumptions;

/**
 * The foreign programs that judge Quoin. A missing one skips the test that asks for it and says why; in CI (environment
 * variable {@code CI=true}) it fails it, so that nothing is left out unseen.
 */
final class Tools {
    private Tools() {}

    /** A program built by {@code trial/go/build} into the directory named by the property {@code quoin.tools}. */
    static Path built(String name) {
        Path directory = Path.of(System.getProperty("quoin.tools", "target/tools")).toAbsolutePath().normalize();
        Path program = directory.resolve(name);
        return Files.isExecutable(program) ? program
                : missing(name + " is not in " + directory + ": ./quoin dev interop builds it, with Go");
    }

    /** What {@code trial/clients/build} has fetched and built of a client in another language, into the same directory. */
    static Path fetched(String name) {
        Path directory = Path.of(System.getProperty("quoin.tools", "target/tools")).toAbsolutePath().normalize();
        Path client = directory.resolve(name);
        return Files.exists(client.resolve("done")) ? client
                : missing(name + " is not in " + directory + ": ./quoin dev interop fetches and builds it");
    }

    /** A program of the operating system. */
    static Path system(String name, String debianPackage) {
        String path = Objects.requireNonNullElse(System.getenv("PATH"), "/usr/bin:/bin");
        for (String directory : path.split(File.pathSeparator, -1)) {
            Path program = Path.of(directory, name);
            if (!directory.isEmpty() && Files.isExecutable(program)) {
                return program;
            }
        }
        return missing(name + " is not in the PATH: install the package " + debianPackage);
    }

    private static Path missing(String why) {
        if ("true".equals(System.getenv("CI"))) {
            throw new AssertionError(why);
        }
        return Assumptions.abort(why);
    }
}
