package dev.quoin.member;

import java.util.List;

import dev.quoin.base.Clock;
import dev.quoin.disk.Disk;
import dev.quoin.raft.Chance;

/**
 * A member without threads: whoever opened it gives its owners their turns, one at a time and in any order. Everything else
 * is as {@link Member#start} makes it, so what holds for any order of turns here holds for threads.
 */
public final class SteppedMember {
    private final Member member;
    private final List<String> owners;
    private final List<Actor> actors;

    private SteppedMember(Member member) {
        this.member = member;
        this.owners = List.copyOf(member.actors().keySet());
        this.actors = List.copyOf(member.actors().values());
    }

    /** As {@link Member#start}. What escapes a turn ends the member: it must not get another one. */
    public static SteppedMember open(MemberConfig config, Disk disk, Clock clock, Chance chance, Network network,
            Events events, Witness witness) {
        return new SteppedMember(
                Member.open(config, disk, clock, chance, network, events, witness, MemberMetrics.NONE));
    }

    public Member member() {
        return member;
    }

    /** Who owns something: the names of the threads that there would be. */
    public List<String> owners() {
        return owners;
    }

    /** Whether something has arrived for an owner since this was asked last, or waits for its turn. */
    public boolean isWanted(int owner) {
        return actors.get(owner).mailbox().poll();
    }

    /**
     * One turn of an owner: all there is to do for it now.
     *
     * @return nanoseconds after which it wants another even if nothing arrives
     */
    public long turn(int owner) {
        return actors.get(owner).turn();
    }
}
