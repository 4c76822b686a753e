package dev.quoin.member;

import java.io.IOException;
import java.util.List;

import dev.quoin.base.Bytes;

/**
 * One member as the cluster knows it. The name and the client URLs are empty until the member has started and said them.
 *
 * @param id unsigned, never 0
 * @param peerUrls where other members reach it
 * @param clientUrls where clients reach it
 * @param isLearner whether it only follows, without a vote
 */
public record MemberInfo(long id, String name, List<String> peerUrls, List<String> clientUrls, boolean isLearner) {
    public MemberInfo {
        peerUrls = List.copyOf(peerUrls);
        clientUrls = List.copyOf(clientUrls);
    }

    /**
     * Reads a list of members, as they tell it to each other. Keys that are not known are passed over.
     *
     * @throws IOException if it is no such list
     */
    public static List<MemberInfo> listOf(String json) throws IOException {
        return MemberJson.parseList(json);
    }

    /** As etcd lists a member. */
    public Bytes json() {
        return MemberJson.write(this);
    }

    MemberInfo withAttributes(String newName, List<String> newClientUrls) {
        return new MemberInfo(id, newName, peerUrls, newClientUrls, isLearner);
    }

    MemberInfo withPeerUrls(List<String> newPeerUrls) {
        return new MemberInfo(id, name, newPeerUrls, clientUrls, isLearner);
    }

    /** A learner that was promoted. */
    MemberInfo withVote() {
        return new MemberInfo(id, name, peerUrls, clientUrls, false);
    }
}
