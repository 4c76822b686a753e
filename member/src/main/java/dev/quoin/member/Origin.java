package dev.quoin.member;

import java.util.List;

import dev.quoin.base.Invariant;

/** How a member comes to be whose directory is empty. Found out before it starts; a directory in use needs none. */
public sealed interface Origin {
    /** Which of {@link #members} this one is. */
    long memberId();

    long clusterId();

    /** Who is in the cluster, as far as it is known: the first to be dialled. */
    List<MemberInfo> members();

    /** The cluster begins, with these members. Each of them writes the same beginning of the log. */
    record Founder(long memberId, long clusterId, List<MemberInfo> members) implements Origin {
        public Founder {
            members = check(memberId, members);
        }

        /** As etcd derives the ids. */
        public static Founder of(String name, List<MemberInfo> members) {
            MemberInfo self = members.stream().filter(member -> member.name().equals(name)).findFirst().orElseThrow();
            return new Founder(self.id(), Ids.cluster(members.stream().map(MemberInfo::id).toList()), members);
        }
    }

    /** The member was added to a cluster that runs, and these are its members as they say. The log comes from them. */
    record Joiner(long memberId, long clusterId, List<MemberInfo> members) implements Origin {
        public Joiner {
            members = check(memberId, members);
        }
    }

    private static List<MemberInfo> check(long memberId, List<MemberInfo> members) {
        Invariant.check(members.stream().anyMatch(member -> member.id() == memberId), "member %x is not of its cluster",
                memberId);
        return List.copyOf(members);
    }
}
