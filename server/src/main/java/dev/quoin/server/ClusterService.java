package dev.quoin.server;

import java.util.List;

import dev.quoin.api.etcdserverpb.MemberAddRequest;
import dev.quoin.api.etcdserverpb.MemberAddResponse;
import dev.quoin.api.etcdserverpb.MemberListRequest;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.MemberPromoteRequest;
import dev.quoin.api.etcdserverpb.MemberPromoteResponse;
import dev.quoin.api.etcdserverpb.MemberRemoveRequest;
import dev.quoin.api.etcdserverpb.MemberRemoveResponse;
import dev.quoin.api.etcdserverpb.MemberUpdateRequest;
import dev.quoin.api.etcdserverpb.MemberUpdateResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.base.Clock;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.ClusterChange;
import dev.quoin.member.Ids;
import dev.quoin.member.Member;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.founding.PeerUrls;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.StatusException;

/** etcdserverpb.Cluster: who belongs to the cluster, and changes of that. Each change answers with all members after it. */
final class ClusterService {
    private static final String SERVICE = "/etcdserverpb.Cluster/";

    private final Member member;
    private final MemberCalls calls;
    private final Promotions promotions;
    private final Clock clock;

    ClusterService(Member member, MemberCalls calls, Promotions promotions, Clock clock) {
        this.member = member;
        this.calls = calls;
        this.promotions = promotions;
        this.clock = clock;
    }

    List<Method> methods() {
        return List.of(Unary.method(SERVICE + "MemberAdd", MemberAddRequest.parser(), this::add),
                Unary.method(SERVICE + "MemberRemove", MemberRemoveRequest.parser(), this::remove),
                Unary.method(SERVICE + "MemberUpdate", MemberUpdateRequest.parser(), this::update),
                Unary.method(SERVICE + "MemberList", MemberListRequest.parser(), this::list),
                Unary.method(SERVICE + "MemberPromote", MemberPromoteRequest.parser(), this::promote));
    }

    private MemberAddResponse add(Call call, MemberAddRequest request) throws StatusException, InterruptedException {
        List<String> urls;
        try {
            urls = PeerUrls.parse(List.copyOf(request.getPeerURLsList()));
        } catch (PeerUrls.Bad bad) {
            throw new StatusException(Errors.BAD_MEMBER_URLS);
        }
        if (urls.isEmpty()) {
            throw new StatusException(Errors.BAD_MEMBER_URLS);
        }
        long id = Ids.added(urls, clock.now().getEpochSecond());
        List<MemberInfo> after = change(new ClusterChange.Add(id, urls, request.getIsLearner()));
        return MemberAddResponse.newBuilder().setHeader(header())
                .setMember(message(new MemberInfo(id, "", urls, List.of(), request.getIsLearner())))
                .addAllMembers(messages(after)).build();
    }

    private MemberRemoveResponse remove(Call call, MemberRemoveRequest request)
            throws StatusException, InterruptedException {
        List<MemberInfo> after = change(new ClusterChange.Remove(request.getID()));
        return MemberRemoveResponse.newBuilder().setHeader(header()).addAllMembers(messages(after)).build();
    }

    /** The URLs are taken as they are, as etcd does. */
    private MemberUpdateResponse update(Call call, MemberUpdateRequest request)
            throws StatusException, InterruptedException {
        List<MemberInfo> after = change(
                new ClusterChange.Update(request.getID(), List.copyOf(request.getPeerURLsList())));
        return MemberUpdateResponse.newBuilder().setHeader(header()).addAllMembers(messages(after)).build();
    }

    private MemberListResponse list(Call call, MemberListRequest request)
            throws StatusException, InterruptedException {
        if (request.getLinearizable()) {
            calls.linearize();
        }
        return MemberListResponse.newBuilder().setHeader(header())
                .addAllMembers(messages(member.membership().members())).build();
    }

    /** Only the leader knows how much of the log a learner has: if another leads, it is asked. */
    private MemberPromoteResponse promote(Call call, MemberPromoteRequest request)
            throws StatusException, InterruptedException {
        List<MemberInfo> after = switch (calls.change(new ClusterChange.Promote(request.getID()))) {
            case MemberCalls.Decision.Changed changed -> changed.membership().members();
            case MemberCalls.Decision.Refused(ChangeRefusal why) when why == ChangeRefusal.NOT_LEADER ->
                promotions.ask(request.getID(), call.headers());
            case MemberCalls.Decision.Refused(ChangeRefusal why) -> throw new StatusException(Errors.of(why));
        };
        return MemberPromoteResponse.newBuilder().setHeader(header()).addAllMembers(messages(after)).build();
    }

    private List<MemberInfo> change(ClusterChange change) throws StatusException, InterruptedException {
        return switch (calls.change(change)) {
            case MemberCalls.Decision.Changed changed -> changed.membership().members();
            case MemberCalls.Decision.Refused(ChangeRefusal why) -> throw new StatusException(Errors.of(why));
        };
    }

    /** The revision of these headers is never set: etcd's are not. */
    private ResponseHeader header() {
        return calls.header(0);
    }

    private static List<dev.quoin.api.etcdserverpb.Member> messages(List<MemberInfo> members) {
        return members.stream().map(ClusterService::message).toList();
    }

    private static dev.quoin.api.etcdserverpb.Member message(MemberInfo info) {
        return dev.quoin.api.etcdserverpb.Member.newBuilder().setID(info.id()).setName(info.name())
                .addAllPeerURLs(info.peerUrls()).addAllClientURLs(info.clientUrls()).setIsLearner(info.isLearner())
                .build();
    }
}
