package dev.quoin.server;

import java.util.List;

import dev.quoin.api.etcdserverpb.MemberListRequest;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.member.Member;
import dev.quoin.member.MemberInfo;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.StatusException;

/** etcdserverpb.Cluster, as far as it is served: the list of members. */
final class ClusterService {
    private final Member member;
    private final MemberCalls calls;

    ClusterService(Member member, MemberCalls calls) {
        this.member = member;
        this.calls = calls;
    }

    List<Method> methods() {
        return List.of(Unary.method("/etcdserverpb.Cluster/MemberList", MemberListRequest.parser(), this::list));
    }

    private MemberListResponse list(Call call, MemberListRequest request)
            throws StatusException, InterruptedException {
        if (request.getLinearizable()) {
            calls.linearize();
        }
        // The revision of these headers is never set: etcd's are not.
        MemberListResponse.Builder response = MemberListResponse.newBuilder().setHeader(calls.header(0));
        for (MemberInfo info : member.membership().members()) {
            response.addMembers(dev.quoin.api.etcdserverpb.Member.newBuilder().setID(info.id()).setName(info.name())
                    .addAllPeerURLs(info.peerUrls()).addAllClientURLs(info.clientUrls())
                    .setIsLearner(info.isLearner()));
        }
        return response.build();
    }
}
