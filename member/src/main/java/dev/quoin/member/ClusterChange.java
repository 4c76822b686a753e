package dev.quoin.member;

import java.util.List;

/** A change of who belongs to the cluster, as an operator asks for it. */
public sealed interface ClusterChange {
    /** {@code id} as {@link Ids#added} derives it. */
    record Add(long id, List<String> peerUrls, boolean learner) implements ClusterChange {
        public Add {
            peerUrls = List.copyOf(peerUrls);
        }
    }

    record Remove(long id) implements ClusterChange {}

    /** A learner gets a vote. */
    record Promote(long id) implements ClusterChange {}

    record Update(long id, List<String> peerUrls) implements ClusterChange {
        public Update {
            peerUrls = List.copyOf(peerUrls);
        }
    }
}
