package dev.quoin.ctl;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

import dev.quoin.ctl.cli.CommandLine;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.command.Commands;
import dev.quoin.ctl.rpc.RpcException;

/** etcdctl. */
public final class Main {
    private static final int BUFFER_BYTES = 1 << 16;

    private Main() {}

    public static void main(String[] words) {
        PrintStream out = new PrintStream(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER_BYTES), false,
                StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        int exitCode = run(List.of(words), new Streams(System.in, out, err, System.getenv()));
        out.flush();
        // No hook and no thread has anything left to do: a signal's hook waits for this very end.
        Runtime.getRuntime().halt(exitCode);
    }

    /** Runs one command to its end; returns the exit code. */
    static int run(List<String> words, Streams streams) {
        try {
            new CommandLine(Commands.all(streams), streams.out(), streams.err()).run(words);
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
