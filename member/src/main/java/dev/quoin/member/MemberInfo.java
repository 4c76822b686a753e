package dev.quoin.member;

import java.util.List;

/**
 * One member as the cluster knows it. The name and the client URLs are empty until the member has started and said them.
 */
public record MemberInfo(long id, String name, List<String> peerUrls, List<String> clientUrls, boolean isLearner) {
    public MemberInfo {
        peerUrls = List.copyOf(peerUrls);
        clientUrls = List.copyOf(clientUrls);
    }

    MemberInfo withAttributes(String newName, List<String> newClientUrls) {
        return new MemberInfo(id, newName, peerUrls, newClientUrls, isLearner);
    }
}
