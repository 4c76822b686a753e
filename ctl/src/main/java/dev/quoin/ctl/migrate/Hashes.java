package dev.quoin.ctl.migrate;

import java.util.ArrayList;
import java.util.List;

/** Whether all members that answer hold the same, by HashKV at one revision. */
public sealed interface Hashes {
    /** Nobody asked for them. */
    record NotAsked() implements Hashes {}

    /** All hold the same up to a revision. */
    record Equal(long revision) implements Hashes {}

    /**
     * Somebody holds something else.
     *
     * @param told each member and its hash, for people
     */
    record Differ(long revision, String told) implements Hashes {}

    /**
     * They could not be compared this time.
     *
     * @param why not, for people
     */
    record Unknown(String why) implements Hashes {}

    /**
     * A member's hash.
     *
     * @param revision up to which it looked, and {@code compactRevision} from which
     */
    record Told(String member, int hash, long revision, long compactRevision) {}

    /** Compares those of all members; hashes that look across different compactions say nothing about each other. */
    public static Hashes compare(List<Told> told) {
        if (told.isEmpty()) {
            return new Unknown("no member has told its hash");
        }
        Told first = told.get(0);
        if (told.stream().anyMatch(each -> each.revision != first.revision
                || each.compactRevision != first.compactRevision)) {
            return new Unknown("the members are not at the same compaction");
        }
        if (told.stream().allMatch(each -> each.hash == first.hash)) {
            return new Equal(first.revision);
        }
        List<String> words = new ArrayList<>();
        told.forEach(each -> words.add(each.member + " " + Integer.toUnsignedString(each.hash)));
        return new Differ(first.revision, String.join(", ", words));
    }
}
