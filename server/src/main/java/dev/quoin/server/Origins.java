package dev.quoin.server;

import java.io.IOException;
import java.time.Duration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.disk.Disk;
import dev.quoin.member.Member;
import dev.quoin.member.MemberConfig;
import dev.quoin.net.Dialler;
import dev.quoin.net.NetLimits;
import dev.quoin.server.bootstrap.Bootstrap;
import dev.quoin.server.bootstrap.BootstrapLimits;
import dev.quoin.server.bootstrap.BootstrapRefused;
import dev.quoin.server.dial.PeerHttp;

/** Completes a member's configuration: a directory in use says by itself which cluster it belongs to, whatever the flags say. */
final class Origins {
    private static final Logger LOG = LoggerFactory.getLogger(Origins.class);

    private Origins() {}

    /** May wait for other servers. */
    static MemberConfig complete(ServerConfig config, Disk disk)
            throws BootstrapRefused, IOException, InterruptedException {
        if (Member.exists(disk, config.member())) {
            LOG.atInfo().addKeyValue("data-dir", config.member().dataDirectory())
                    .log("server has already been initialized");
            return config.member();
        }
        Duration request = Duration.ofNanos(config.member().limits().requestTimeoutNanos());
        try (Dialler dialler = new Dialler(NetLimits.defaults(), config.tls().dial())) {
            Bootstrap bootstrap = new Bootstrap(config.cluster(), new PeerHttp(dialler), BootstrapLimits.of(request),
                    Version.ETCD);
            return config.member().withOrigin(bootstrap.origin());
        }
    }
}
