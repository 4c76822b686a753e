package dev.quoin.server;

import java.io.IOException;
import java.util.List;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has certificates, authorities and revocation lists read again when their files have changed: etcd reads its own
 * certificate and the revocation list for each connection, and authorities at the start alone. Connections that are open
 * stay. On one thread.
 */
final class Certificates {
    private static final Logger LOG = LoggerFactory.getLogger(Certificates.class);

    /** Something that speaks TLS. */
    interface Holder {
        /**
         * Reads its files again if they have changed, and says whether it did.
         *
         * @throws IOException what they now hold cannot be used; said once for each change
         */
        boolean refresh() throws IOException;
    }

    private final List<Holder> holders;

    Certificates(List<Holder> holders) {
        this.holders = List.copyOf(holders);
    }

    void tick() {
        for (Holder holder : holders) {
            try {
                if (holder.refresh()) {
                    LOG.info("read changed certificates");
                }
            } catch (IOException e) {
                LOG.atWarn().addKeyValue("error", e.getMessage())
                        .log("changed certificates cannot be used; the ones before stay in use");
            }
        }
    }
}
