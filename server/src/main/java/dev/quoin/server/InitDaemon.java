package dev.quoin.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.UnixDatagram;

/** Whoever started the process and waits for it: systemd, for a unit of {@code Type=notify} (etcdmain/main.go). */
final class InitDaemon {
    private static final Logger LOG = LoggerFactory.getLogger(InitDaemon.class);

    private InitDaemon() {}

    /** Tells it that clients are served. Where nobody waits nobody is told, and the log says the same, as etcd's does. */
    static void tellReady(Map<String, String> environment) {
        LOG.info("notifying init daemon");
        String socket = environment.getOrDefault("NOTIFY_SOCKET", "");
        if (!socket.isEmpty()) {
            try {
                UnixDatagram.send(socket, "READY=1".getBytes(StandardCharsets.US_ASCII));
            } catch (IOException failed) {
                LOG.atError().addKeyValue("error", failed.getMessage()).log("failed to notify systemd for readiness");
                return;
            }
        }
        LOG.info("successfully notified init daemon");
    }
}
