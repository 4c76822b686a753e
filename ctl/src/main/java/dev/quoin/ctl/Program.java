package dev.quoin.ctl;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.CommandLine;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.rpc.RpcException;

/** A command line as a process: its streams, its exit code, its end. */
public final class Program {
    private static final int BUFFER_BYTES = 1 << 16;
    /** As Go ends when the mistake is the program's own. */
    private static final int EXIT_BUG = 2;
    /** As a shell says that SIGPIPE has ended a program. */
    private static final int EXIT_BROKEN_PIPE = 141;

    private Program() {}

    /**
     * Runs one command to its end, which is that of the process.
     *
     * @param words the command line, without the program's name
     * @param root makes the tree of its commands
     */
    public static void main(String[] words, Function<Streams, Command> root) {
        PrintStream out = new PrintStream(
                new BufferedOutputStream(new StandardOutput(), BUFFER_BYTES), false, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        int exitCode = EXIT_BUG;
        try {
            Streams streams = new Streams(System.in, out, err, System.getenv());
            exitCode = run(root.apply(streams), List.of(words), streams);
        } catch (RuntimeException | Error bug) {
            bug.printStackTrace(err);
        } finally {
            out.flush();
            // No hook and no thread has anything left to do: a signal's hook waits for this very end.
            Runtime.getRuntime().halt(exitCode);
        }
    }

    /**
     * Where answers go. Whoever reads them may have gone ({@code etcdctl watch k | head -1}): that is the end of the program, as
     * SIGPIPE, which the JVM does not take, would make it; a stream that only notes the failure would let it go on for ever.
     */
    private static final class StandardOutput extends OutputStream {
        private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);

        @Override
        public void write(int octet) {
            write(new byte[]{(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            try {
                out.write(bytes, from, length);
            } catch (IOException nobodyReads) {
                Runtime.getRuntime().halt(EXIT_BROKEN_PIPE);
            }
        }
    }

    /** Runs one command to its end; returns the exit code. */
    static int run(Command root, List<String> words, Streams streams) {
        try {
            new CommandLine(root, streams.out(), streams.err()).run(words);
            return 0;
        } catch (Failure why) {
            if (why.isTold()) {
                tell(streams, String.valueOf(why.getMessage()));
            }
            return why.exitCode();
        } catch (RpcException why) {
            tell(streams, Errors.words(why));
            return Failure.ERROR;
        }
    }

    private static void tell(Streams streams, String message) {
        streams.out().flush();
        streams.err().print("Error: " + message + "\n");
    }
}
