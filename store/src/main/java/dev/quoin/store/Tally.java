package dev.quoin.store;

/**
 * What commands have done, as etcd counts it (storage/mvcc/metrics_txn.go).
 *
 * @param ranges reads within commands
 * @param puts keys that were given a value
 * @param deletes ranges that were deleted, whatever they held; of a lease that is revoked each key is one
 * @param txns commands that did more than one of these
 * @param putBytes keys and values that were put
 */
public record Tally(long ranges, long puts, long deletes, long txns, long putBytes) {
    public static final Tally NONE = new Tally(0, 0, 0, 0, 0);

    Tally plus(Tally more) {
        return new Tally(ranges + more.ranges, puts + more.puts, deletes + more.deletes, txns + more.txns,
                putBytes + more.putBytes);
    }
}
