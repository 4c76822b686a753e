package dev.quoin.member;

/** What a {@link Lessor} is asked about one lease. */
public sealed interface LeaseQuestion {
    /** Hears the answer, once, on a thread of the member: it must not block and must not throw. */
    interface Asker {
        void told(LeaseReply reply);
    }

    long lease();

    Asker asker();

    /** The same question of somebody else. */
    default LeaseQuestion withAsker(Asker other) {
        return switch (this) {
            case Renew renew -> new Renew(renew.lease, other);
            case TimeToLive asked -> new TimeToLive(asked.lease, asked.keys, other);
        };
    }

    /** Let its time begin anew. */
    record Renew(long lease, Asker asker) implements LeaseQuestion {}

    /** How much of its time is left; with its keys, if {@code keys}. */
    record TimeToLive(long lease, boolean keys, Asker asker) implements LeaseQuestion {}
}
