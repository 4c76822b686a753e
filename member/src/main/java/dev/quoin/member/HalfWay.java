package dev.quoin.member;

/** What files mean that are found on their way from etcd's form to ours, or back: see {@link DirectoryExchange}. */
public enum HalfWay {
    /** The member is what it was; the next attempt clears them away. */
    WITHOUT_EFFECT,
    /** They are the member, which has no other directory: the same command goes on with them. */
    GOES_ON,
    /** They are the member, and somebody has begun anew in its place meanwhile. */
    OVERTAKEN,
    /** They are not whole, and no member is there. */
    WITHOUT_MEMBER
}
