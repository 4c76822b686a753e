package dev.quoin.server.bootstrap;

/** The member cannot become part of the cluster that it was told of. The text is etcd's, which operators search for. */
public final class BootstrapRefused extends Exception {
    private static final long serialVersionUID = 1L;

    BootstrapRefused(String message) {
        super(message);
    }
}
