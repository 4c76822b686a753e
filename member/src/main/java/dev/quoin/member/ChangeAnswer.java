package dev.quoin.member;

/** Who waits for a {@link ClusterChange}, under the rules of {@link Answer}. */
public interface ChangeAnswer {
    /** It was applied; this is the membership after it. */
    void changed(Membership membership);

    /** It was not, and will not be. */
    void refused(ChangeRefusal why);

    void failed(Failure failure);
}
