package dev.quoin.ctl.client;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import dev.quoin.api.etcdserverpb.LeaseGrantRequest;
import dev.quoin.api.etcdserverpb.LeaseGrantResponse;
import dev.quoin.ctl.rpc.Deadline;

/** A lease that a thread keeps alive until it cannot any more (etcd: client/v3/concurrency/session.go). */
public final class Session {
    /** Seconds; for whoever asks for nothing else. */
    public static final long DEFAULT_TTL = 60;

    private final Client client;
    private final long lease;
    private final CountDownLatch expired = new CountDownLatch(1);

    /** Takes a lease and keeps it. */
    public Session(Client client, long ttlSeconds) {
        this.client = client;
        LeaseGrantResponse granted = client.call(Method.LEASE_GRANT,
                LeaseGrantRequest.newBuilder().setTTL(ttlSeconds).build(), LeaseGrantResponse.parser(),
                Deadline.NEVER);
        this.lease = granted.getID();
        KeepAlive keepAlive = new KeepAlive(client, lease, TimeUnit.SECONDS.toNanos(granted.getTTL()));
        Thread keeper = new Thread(() -> keep(keepAlive), "lease");
        keeper.setDaemon(true);
        keeper.start();
    }

    private void keep(KeepAlive keepAlive) {
        try {
            while (keepAlive.next() != null) {
                // Each answer is as good as the last.
            }
        } finally {
            expired.countDown();
        }
    }

    Client client() {
        return client;
    }

    long lease() {
        return lease;
    }

    /** Waits until the lease is lost, or this thread is interrupted; then it is not any more. */
    public void awaitExpiry() {
        try {
            expired.await();
        } catch (InterruptedException signal) {
            // Whoever interrupted has left a note; what is to be done now must not be interrupted again.
        }
    }
}
