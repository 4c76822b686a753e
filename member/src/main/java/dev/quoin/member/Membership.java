package dev.quoin.member;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;

import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;
import dev.quoin.raft.ConfState;

/**
 * Who belongs to the cluster, and the version it has agreed on (empty: none yet). Immutable; changes come through the log
 * and are kept in the ledger as one record of the whole.
 *
 * @param members sorted by id, as unsigned numbers
 */
public record Membership(List<MemberInfo> members, String clusterVersion) {
    public static final Membership NONE = new Membership(List.of(), "");

    private static final int FIELD_MEMBER = 1;
    private static final int FIELD_CLUSTER_VERSION = 2;

    public Membership {
        members = members.stream().sorted(Comparator.comparing(MemberInfo::id, Long::compareUnsigned)).toList();
    }

    public Optional<MemberInfo> member(long id) {
        return members.stream().filter(member -> member.id() == id).findFirst();
    }

    /** With this member added, or in the place of the one with its id. */
    Membership with(MemberInfo changed) {
        List<MemberInfo> next = new ArrayList<>(members);
        next.removeIf(member -> member.id() == changed.id());
        next.add(changed);
        return new Membership(next, clusterVersion);
    }

    Membership withClusterVersion(String version) {
        return new Membership(members, version);
    }

    ConfState confState() {
        List<Long> voters = members.stream().filter(member -> !member.isLearner()).map(MemberInfo::id).toList();
        List<Long> learners = members.stream().filter(MemberInfo::isLearner).map(MemberInfo::id).toList();
        return new ConfState(voters, learners);
    }

    /** {@link #confState} as a raftpb.ConfState, the form in which the log and the ledger keep it. */
    Bytes encodeConfState() {
        ConfState state = confState();
        return Bytes.of(dev.quoin.api.raftpb.ConfState.newBuilder().addAllVoters(state.voters())
                .addAllLearners(state.learners()).setAutoLeave(false).build().toByteArray());
    }

    Bytes encode() {
        ProtoWriter writer = new ProtoWriter(256);
        for (MemberInfo member : members) {
            byte[] encoded = Member.newBuilder().setID(member.id()).setName(member.name())
                    .addAllPeerURLs(member.peerUrls()).addAllClientURLs(member.clientUrls())
                    .setIsLearner(member.isLearner()).build().toByteArray();
            writer.bytesField(FIELD_MEMBER, Bytes.of(encoded));
        }
        writer.bytesFieldIfSet(FIELD_CLUSTER_VERSION, Bytes.utf8(clusterVersion));
        return Bytes.of(writer.toByteArray());
    }

    static Membership decode(Bytes payload) {
        List<MemberInfo> members = new ArrayList<>();
        String version = "";
        ProtoReader reader = new ProtoReader(payload);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case FIELD_MEMBER -> members.add(decodeMember(reader.bytes(tag)));
                case FIELD_CLUSTER_VERSION -> version = reader.bytes(tag).toUtf8();
                default -> reader.skip(tag);
            }
        }
        return new Membership(members, version);
    }

    private static MemberInfo decodeMember(Bytes encoded) {
        try {
            Member member = Member.parseFrom(ByteString.copyFrom(encoded.array(), encoded.offset(), encoded.length()));
            return new MemberInfo(member.getID(), member.getName(), member.getPeerURLsList(),
                    member.getClientURLsList(), member.getIsLearner());
        } catch (InvalidProtocolBufferException e) {
            throw Invariant.violation("a membership record with a good checksum does not parse: %s", e.getMessage());
        }
    }
}
