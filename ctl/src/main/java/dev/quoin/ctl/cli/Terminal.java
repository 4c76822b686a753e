package dev.quoin.ctl.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a person is at the other end, where that can be told: on Linux. Elsewhere nobody is. */
public final class Terminal {
    public static final int INPUT = 0;
    public static final int OUTPUT = 1;
    public static final int ERROR = 2;

    private Terminal() {}

    /** Whether this descriptor of the process is a terminal. */
    public static boolean isAt(int descriptor) {
        try {
            String file = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
            return file.startsWith("/dev/pts/") || file.startsWith("/dev/tty") || file.equals("/dev/console");
        } catch (IOException nobodyKnows) {
            return false;
        }
    }

    /** Whether what is typed comes to this process: one in the background is stopped when it reads from its terminal. */
    public static boolean isForeground() {
        try {
            String stat = Files.readString(Path.of("/proc/self/stat"));
            // Behind the name of the program, which may hold anything: state, parent, group, session, terminal, its group.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", 7);
            return fields[2].equals(fields[5]);
        } catch (IOException nobodyKnows) {
            return false;
        }
    }
}
