package dev.quoin.server.peer;

import java.util.List;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import dev.quoin.member.ChangeAnswer;
import dev.quoin.member.ClusterChange;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.Member;
import dev.quoin.member.MemberStatus;
import dev.quoin.member.Membership;
import dev.quoin.member.ReadAnswer;
import dev.quoin.store.Hashing;
import dev.quoin.store.KeyHash;

/** The member behind the peer port, as far as other members may ask about it. */
public interface PeerHost {
    long memberId();

    long clusterId();

    Membership membership();

    /** The leader that the member knows, 0 for none, and the term. */
    long leader();

    long term();

    /** As {@link Member#proposeClusterVersion}. */
    void proposeClusterVersion(String version);

    /** As {@link Member#proposeDowngradeEnd}. */
    void proposeDowngradeEnd();

    MemberStatus status();

    /** The newest revision. */
    long revision();

    /** As {@link Member#hash}. */
    Hashing hash(long revision);

    /** What compactions have left, by revision. */
    List<KeyHash> compactionHashes();

    /** As {@link Member#raiseCorrupt}. */
    void raiseCorrupt(long member);

    /** As {@link Member#read}. */
    void read(ReadAnswer answer);

    /** As {@link dev.quoin.member.Lessor#ask}. */
    void askLessor(List<LeaseQuestion> questions);

    /** As {@link dev.quoin.member.Lessor#checkpoint}. */
    void checkpointLeases(boolean isOn);

    /** As {@link Member#asksWhoTheOthersAre}. */
    boolean asksWhoTheOthersAre();

    /** As {@link Member#hears}. */
    void hears(boolean allAreQuoin);

    /** As {@link Member#changeMembers}. */
    void changeMembers(ClusterChange change, ChangeAnswer answer);

    /** Whether what one member passes on to another may be done in the name of whose token comes with it, if one does. */
    boolean mayChangeMembers(@Nullable String token);

    /**
     * A member as others see it.
     *
     * @param mayChange what {@link #mayChangeMembers} says
     */
    static PeerHost of(Member member, Predicate<@Nullable String> mayChange) {
        return new PeerHost() {
            @Override
            public long memberId() {
                return member.memberId();
            }

            @Override
            public long clusterId() {
                return member.clusterId();
            }

            @Override
            public Membership membership() {
                return member.membership();
            }

            @Override
            public long leader() {
                return member.leader();
            }

            @Override
            public long term() {
                return member.term();
            }

            @Override
            public void proposeClusterVersion(String version) {
                member.proposeClusterVersion(version);
            }

            @Override
            public void proposeDowngradeEnd() {
                member.proposeDowngradeEnd();
            }

            @Override
            public MemberStatus status() {
                return member.status();
            }

            @Override
            public long revision() {
                return member.view().revision();
            }

            @Override
            public Hashing hash(long revision) {
                return member.hash(revision);
            }

            @Override
            public List<KeyHash> compactionHashes() {
                return member.view().hashes();
            }

            @Override
            public void raiseCorrupt(long corrupt) {
                member.raiseCorrupt(corrupt);
            }

            @Override
            public void read(ReadAnswer answer) {
                member.read(answer);
            }

            @Override
            public void askLessor(List<LeaseQuestion> questions) {
                member.lessor().ask(questions);
            }

            @Override
            public void checkpointLeases(boolean isOn) {
                member.lessor().checkpoint(isOn);
            }

            @Override
            public boolean asksWhoTheOthersAre() {
                return member.asksWhoTheOthersAre();
            }

            @Override
            public void hears(boolean allAreQuoin) {
                member.hears(allAreQuoin);
            }

            @Override
            public void changeMembers(ClusterChange change, ChangeAnswer answer) {
                member.changeMembers(change, answer);
            }

            @Override
            public boolean mayChangeMembers(@Nullable String token) {
                return mayChange.test(token);
            }
        };
    }
}
