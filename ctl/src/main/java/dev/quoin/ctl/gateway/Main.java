package dev.quoin.ctl.gateway;

import dev.quoin.ctl.Program;
import dev.quoin.ctl.client.Discovery;

/** The process {@code etcd gateway}. */
public final class Main {
    private Main() {}

    public static void main(String[] words) {
        Program.main(words, streams -> new Gateway(streams, Discovery.ofSystem()).root());
    }
}
