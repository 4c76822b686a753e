package dev.quoin.ctl.migrate;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * What was seen of a cluster at one look.
 *
 * @param members in the order in which they are shown
 * @param strangers endpoints that were given and answered, and are no members
 * @param alarms those that are raised, each with its member
 * @param unanswered what could not be asked of the cluster as a whole, and why
 */
public record Sighting(List<MemberSeen> members, List<String> strangers, List<Alarm> alarms, List<String> unanswered,
        Hashes hashes) {
    /**
     * An alarm that is raised.
     *
     * @param member 0 if it is about the cluster
     */
    public record Alarm(long member, String name) {}

    public Sighting {
        members = List.copyOf(members);
        strangers = List.copyOf(strangers);
        alarms = List.copyOf(alarms);
        unanswered = List.copyOf(unanswered);
    }

    /** With what another look has found out about hashes. */
    public Sighting with(Hashes others) {
        return new Sighting(members, strangers, alarms, unanswered, others);
    }

    /** Members that count for the quorum. */
    List<MemberSeen> voters() {
        return members.stream().filter(member -> !member.isLearner()).toList();
    }

    List<MemberSeen> down() {
        return members.stream().filter(MemberSeen::isDown).toList();
    }

    int quorum() {
        return voters().size() / 2 + 1;
    }

    /** How many voters answer. */
    int votersUp() {
        return (int) voters().stream().filter(member -> !member.isDown()).count();
    }

    public @Nullable MemberSeen member(long id) {
        return members.stream().filter(member -> member.id() == id).findFirst().orElse(null);
    }

    /** The members of this name or id: one, if the word is a good one. */
    public List<MemberSeen> named(String word) {
        List<MemberSeen> named = members.stream().filter(member -> member.name().equals(word)).toList();
        return named.isEmpty() ? members.stream().filter(member -> member.hexId().equals(word)).toList() : named;
    }

    /** Whom all that answer take for the leader; nothing if they do not agree, or he does not answer. */
    public @Nullable MemberSeen leader() {
        List<Long> said = members.stream().map(MemberSeen::answer).filter(answer -> answer != null)
                .map(MemberSeen.Answer::leader).distinct().toList();
        MemberSeen leader = said.size() == 1 ? member(said.get(0)) : null;
        return leader == null || leader.isDown() ? null : leader;
    }

    /** The last entry that any member knows to be committed. */
    long committedIndex() {
        return members.stream().map(MemberSeen::answer).filter(answer -> answer != null)
                .mapToLong(MemberSeen.Answer::raftIndex).max().orElse(0);
    }

    /** How many entries a member that answers has still to apply. */
    public long behind(MemberSeen member) {
        MemberSeen.Answer answer = member.answer();
        return answer == null ? 0 : Math.max(committedIndex() - answer.appliedIndex(), 0);
    }

    public int count(Kind kind) {
        return (int) members.stream().filter(member -> member.is(kind)).count();
    }
}
