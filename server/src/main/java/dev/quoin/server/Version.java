package dev.quoin.server;

import dev.quoin.base.Versions;

/** The versions that this server claims and has. */
final class Version {
    /** The etcd that we are a replacement of: what every client reads as the server's version. */
    static final String ETCD = Versions.ETCD;
    /** What a cluster of this version agrees on, and the version of what it stores. */
    static final String CLUSTER = "3.7.0";
    /** Our own. */
    static final String QUOIN = Versions.QUOIN;

    private Version() {}
}
