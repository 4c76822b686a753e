package dev.quoin.member;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.api.etcdserverpb.RequestHeader;
import dev.quoin.api.membershippb.ClusterMemberAttrSetRequest;
import dev.quoin.api.membershippb.ClusterVersionSetRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.base.ProtoWriter;

/**
 * Requests of etcd's first API, {@code etcdserverpb.Request}, which members up to 3.5 still put into the log to say their names
 * and the cluster's version. Each is read as the request that has said the same since 3.6, as 3.6 itself does
 * (etcdserver/apply_v2.go); etcd 3.7 cannot read them. All others are refused, as 3.6 refuses them: what they changed is a store
 * that is no more.
 */
final class OldRequests {
    private static final int NUMBER = ProtoWriter.VARINT;
    private static final int BYTES = ProtoWriter.LENGTH_DELIMITED;
    private static final int TAG_ID = 1 << 3 | NUMBER;
    private static final int TAG_METHOD = 2 << 3 | BYTES;
    private static final int TAG_PATH = 3 << 3 | BYTES;
    private static final int TAG_VALUE = 4 << 3 | BYTES;

    private static final Pattern METHOD = Pattern.compile("[A-Z]{3,6}");
    private static final Pattern ATTRIBUTES = Pattern.compile("/0/members/([0-9a-f]{1,16})/attributes");
    private static final String CLUSTER_VERSION = "/0/version";

    private OldRequests() {}

    /**
     * Whether an entry's data are such a request: a number, and behind it a method. A request of today has its number in its
     * header, and nothing in the second field.
     */
    static boolean isOld(Bytes data) {
        if (data.isEmpty() || data.at(0) != TAG_ID) {
            return false;
        }
        try {
            ProtoReader reader = new ProtoReader(data);
            reader.varint(reader.tag());
            int next = reader.tag();
            return next == TAG_METHOD && METHOD.matcher(reader.bytes(next).toUtf8()).matches();
        } catch (Malformed other) {
            return false;
        }
    }

    /**
     * Whether such a request changes a key of a client: {@code /1} is theirs.
     *
     * @throws Malformed if it does not parse
     */
    static boolean changesKeys(Bytes data) {
        String method = "";
        String path = "";
        ProtoReader reader = new ProtoReader(data);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (tag) {
                case TAG_METHOD -> method = reader.bytes(tag).toUtf8();
                case TAG_PATH -> path = reader.bytes(tag).toUtf8();
                default -> reader.skip(tag);
            }
        }
        return path.startsWith("/1/") && (method.equals("PUT") || method.equals("POST"));
    }

    /**
     * What it says, in the words of today; null if nothing: the leader's time, by which keys of the old store ended.
     *
     * @throws Malformed if it says anything else than what 3.6 takes
     */
    static @Nullable InternalRaftRequest translate(Bytes data) {
        long id = 0;
        String method = "";
        String path = "";
        Bytes value = Bytes.EMPTY;
        ProtoReader reader = new ProtoReader(data);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (tag) {
                case TAG_ID -> id = reader.varint(tag);
                case TAG_METHOD -> method = reader.bytes(tag).toUtf8();
                case TAG_PATH -> path = reader.bytes(tag).toUtf8();
                case TAG_VALUE -> value = reader.bytes(tag);
                default -> reader.skip(tag);
            }
        }
        if (method.equals("SYNC")) {
            return null;
        }
        InternalRaftRequest.Builder request = InternalRaftRequest.newBuilder()
                .setHeader(RequestHeader.newBuilder().setID(id));
        Matcher attributes = ATTRIBUTES.matcher(path);
        if (method.equals("PUT") && path.equals(CLUSTER_VERSION)) {
            if (SemVersion.parse(value.toUtf8()) == null) {
                throw new Malformed("the cluster's version is to be " + value.toUtf8());
            }
            return request.setClusterVersionSet(ClusterVersionSetRequest.newBuilder().setVer(value.toUtf8())).build();
        }
        if (method.equals("PUT") && attributes.matches()) {
            return request.setClusterMemberAttrSet(
                    attributes(Long.parseUnsignedLong(attributes.group(1), 16), value)).build();
        }
        throw new Malformed("a request of etcd's first API, " + method + " " + path
                + ": its store is no part of etcd since 3.6");
    }

    /** The data of an entry that says the same; empty if that is nothing. */
    static Bytes inWordsOfToday(Bytes data) {
        InternalRaftRequest translated = translate(data);
        return translated == null ? Bytes.EMPTY : Bytes.of(translated.toByteArray());
    }

    private static ClusterMemberAttrSetRequest attributes(long memberId, Bytes json) {
        try {
            MemberInfo said = MemberJson.parse(json);
            ClusterMemberAttrSetRequest.Builder set = ClusterMemberAttrSetRequest.newBuilder().setMemberID(memberId);
            set.getMemberAttributesBuilder().setName(said.name()).addAllClientUrls(said.clientUrls());
            return set.build();
        } catch (IllegalArgumentException notJson) {
            throw new Malformed("what a member says of itself does not parse: " + notJson.getMessage());
        }
    }
}
