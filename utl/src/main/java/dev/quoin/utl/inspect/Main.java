package dev.quoin.utl.inspect;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.util.List;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.RealDisk;
import dev.quoin.member.SnapshotRefused;
import dev.quoin.member.StartRefused;
import dev.quoin.utl.Refused;

/** The process {@code quoin inspect}: 0 if it is done, 1 if not or if something differs, 2 if it was not understood. */
public final class Main {
    private static final int DONE = 0;
    private static final int NOT_DONE = 1;
    private static final int MISUSED = 2;
    private static final int BUFFER_BYTES = 64 << 10;

    private Main() {}

    public static void main(String[] args) {
        // Many lines: not one system call for each, as System.out would make.
        PrintStream out = new PrintStream(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER_BYTES),
                false, StandardCharsets.UTF_8);
        int exitCode = run(new RealDisk(), List.of(args), out, System.err);
        out.flush();
        System.exit(exitCode);
    }

    /** Runs to its end; what the process is to end with. */
    static int run(Disk disk, List<String> words, PrintStream out, PrintStream err) {
        if (words.isEmpty() || words.contains("--help") || words.contains("-h")) {
            out.print(Order.USAGE);
            return words.isEmpty() ? MISUSED : DONE;
        }
        try {
            return new Inspector(disk, out, err).run(Order.parse(words)) ? DONE : NOT_DONE;
        } catch (Order.Misused | InvalidPathException misused) {
            err.print("quoin inspect: " + misused.getMessage() + "\n" + Order.USAGE);
            return MISUSED;
        } catch (Refused | DiskFailure | SnapshotRefused refused) {
            err.println("quoin inspect: " + refused.getMessage());
            return NOT_DONE;
        } catch (Damaged | StartRefused unreadable) {
            err.println("quoin inspect: " + unreadable.getMessage()
                    + "\nFor a data directory, quoin doctor says what is wrong and what to do.");
            return NOT_DONE;
        }
    }
}
