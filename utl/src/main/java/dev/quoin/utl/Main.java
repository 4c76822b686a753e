package dev.quoin.utl;

import java.util.List;

import dev.quoin.disk.RealDisk;

/** The process {@code etcdutl}. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(new Etcdutl(new RealDisk(), System.out, System.err).run(List.of(args)));
    }
}
