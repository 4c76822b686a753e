package dev.quoin.cert;

import java.time.InstantSource;
import java.util.List;

/** The process {@code quoin cert}. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(new CertCommand(InstantSource.system(), System.out, System.err).run(List.of(args)));
    }
}
