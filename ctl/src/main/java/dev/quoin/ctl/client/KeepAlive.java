package dev.quoin.ctl.client;

import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.quoin.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.quoin.ctl.rpc.Code;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;

/** Renews a lease every third of its time, for as long as there is one (etcd: client/v3/lease.go). One thread's. */
public final class KeepAlive {
    private static final long PAUSE_MILLIS = 500;

    private final Client client;
    private final long lease;
    private Deadline expiry;
    private long pauseMillis;

    /** @param patienceNanos how long to try before the lease has been renewed for the first time */
    public KeepAlive(Client client, long lease, long patienceNanos) {
        this.client = client;
        this.lease = lease;
        this.expiry = Deadline.in(patienceNanos);
    }

    /** Waits until it is time, and renews; nothing when the lease is gone, or may be. */
    public @Nullable LeaseKeepAliveResponse next() {
        Client.sleep(pauseMillis);
        while (!expiry.isOver()) {
            try {
                LeaseKeepAliveResponse answer = renew(client, lease, expiry);
                if (answer.getTTL() <= 0) {
                    return null;
                }
                expiry = Deadline.in(TimeUnit.SECONDS.toNanos(answer.getTTL()));
                pauseMillis = TimeUnit.SECONDS.toMillis(answer.getTTL()) / 3;
                return answer;
            } catch (RpcException why) {
                if (why.code() == Code.CANCELED && Thread.currentThread().isInterrupted()) {
                    throw why;
                }
                Client.sleep(PAUSE_MILLIS);
            }
        }
        return null;
    }

    /** Renews once. A lease that is gone has a time to live of 0 or less. */
    public static LeaseKeepAliveResponse renew(Client client, long lease, Deadline deadline) {
        return client.call(Method.LEASE_KEEP_ALIVE, LeaseKeepAliveRequest.newBuilder().setID(lease).build(),
                LeaseKeepAliveResponse.parser(), deadline);
    }
}
