package dev.quoin.utl;

import java.io.PrintStream;
import java.util.List;

import dev.quoin.disk.Disk;
import dev.quoin.disk.RealDisk;

/** The process {@code etcdutl}. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(run(List.of(args), System.out, System.err));
    }

    /**
     * Runs one command to its end, for a program that has some of them too.
     *
     * @param words the command line, without the program's name
     * @return what the process is to end with
     */
    public static int run(List<String> words, PrintStream out, PrintStream err) {
        return run(new RealDisk(), words, out, err);
    }

    /** The same on any disk. */
    public static int run(Disk disk, List<String> words, PrintStream out, PrintStream err) {
        return new Etcdutl(disk, out, err).run(words);
    }
}
