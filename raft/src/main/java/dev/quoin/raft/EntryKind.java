package dev.quoin.raft;

/** What an entry of the log means to those who apply it. Numbers: raftpb.EntryType. */
public enum EntryKind {
    /** A request, or with empty data a new leader's first entry. */
    NORMAL(0),
    /** A change of one member. */
    CONF_CHANGE(1),
    /** A joint change. The core knows it; a cluster never proposes it, since etcd's members stop at one. */
    CONF_CHANGE_V2(2);

    private final int number;

    EntryKind(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }

    /** Throws {@link IllegalArgumentException} for a number that names no kind. */
    public static EntryKind of(int number) {
        return switch (number) {
            case 0 -> NORMAL;
            case 1 -> CONF_CHANGE;
            case 2 -> CONF_CHANGE_V2;
            default -> throw new IllegalArgumentException("no entry kind has number " + number);
        };
    }
}
