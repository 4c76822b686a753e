package dev.quoin.server.config;

import java.util.Optional;
import java.util.stream.Stream;

/** What etcd 3.7 lets an operator switch on or off while it is new ({@code --feature-gates}; server/features). */
@SuppressWarnings("ImmutableEnumChecker") // An effect is a record of a text.
public enum Gate {
    /** If nothing is said of it, hashes are compared all the same while all members are Quoin. */
    COMPACT_HASH_CHECK("CompactHashCheck", Stage.ALPHA, Effect.ACTS),
    FAST_LEASE_KEEP_ALIVE("FastLeaseKeepAlive", Stage.BETA,
            Effect.idle("renewing a lease waits for what it must in any case")),
    INITIAL_CORRUPT_CHECK("InitialCorruptCheck", Stage.ALPHA, Effect.ACTS),
    LEASE_CHECKPOINT("LeaseCheckpoint", Stage.ALPHA, Effect.ACTS),
    LEASE_CHECKPOINT_PERSIST("LeaseCheckpointPersist", Stage.ALPHA,
            Effect.idle("what leases have left is kept in any case, once it is written down")),
    PRIORITY_REQUEST("PriorityRequest", Stage.ALPHA, Effect.idle("revoking a lease waits like other writes")),
    SET_MEMBER_LOCAL_ADDR("SetMemberLocalAddr", Stage.ALPHA,
            Effect.idle("connections to members go out from the address that the system chooses")),
    STOP_GRPC_SERVICE_ON_DEFRAG("StopGRPCServiceOnDefrag", Stage.ALPHA,
            Effect.idle("nobody has to wait for a defragmentation")),
    TXN_MODE_WRITE_WITH_SHARED_BUFFER("TxnModeWriteWithSharedBuffer", Stage.BETA,
            Effect.idle("is about the buffers of etcd's store"));

    /** How far etcd is with it; what is beta is on. */
    public enum Stage {
        ALPHA,
        BETA
    }

    private final String title;
    private final Stage stage;
    private final Effect effect;

    Gate(String title, Stage stage, Effect effect) {
        this.title = title;
        this.stage = stage;
        this.effect = effect;
    }

    /** Its name in the flag. */
    public String title() {
        return title;
    }

    public Stage stage() {
        return stage;
    }

    boolean initial() {
        return stage == Stage.BETA;
    }

    /** What becomes of it when it is not as it is initially. */
    public Effect effect() {
        return effect;
    }

    static Optional<Gate> of(String title) {
        return Stream.of(values()).filter(gate -> gate.title.equals(title)).findFirst();
    }
}
