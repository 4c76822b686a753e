package dev.quoin.ctl.command;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.AuthStatusRequest;
import dev.quoin.api.etcdserverpb.AuthStatusResponse;
import dev.quoin.api.etcdserverpb.HashKVRequest;
import dev.quoin.api.etcdserverpb.HashKVResponse;
import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberListRequest;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.base.Versions;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.migrate.Hashes;
import dev.quoin.ctl.migrate.Kind;
import dev.quoin.ctl.migrate.MemberSeen;
import dev.quoin.ctl.migrate.MemberSeen.Answer;
import dev.quoin.ctl.migrate.Sighting;
import dev.quoin.ctl.rpc.Code;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.Dial;
import dev.quoin.ctl.rpc.Endpoint;
import dev.quoin.ctl.rpc.RpcException;

/**
 * Looks at a cluster: at each member by itself, at the endpoint that was given or, if none of these is its, where the member says that it
 * serves clients. One thread's.
 */
final class Scout {
    /** Hashes of a large store take their time. */
    private static final long HASH_SECONDS = 120;
    /** A compaction may come between the revision and its hash. */
    private static final int HASH_TRIES = 3;
    private static final long TRY_MILLIS = 200;
    private static final String DIALLED = "Error while dialing: ";

    private final Context context;
    private final Map<String, Client> clients = new HashMap<>();
    private @Nullable Client ofAll;
    private @Nullable MemberListResponse lastList;
    /** Whether the last list came without a read, and may be from before a change. */
    private boolean isListOld;

    Scout(Context context) {
        this.context = context;
    }

    /** What an endpoint said of the member there; {@code answer} is nothing if it said nothing, and {@code error} is why. */
    private record Asked(String endpoint, Client.@Nullable Answer<StatusResponse> answer, String error) {
        long member() {
            return answer == null ? 0 : answer.message().getHeader().getMemberId();
        }

        /** Ids of members are made of their addresses: those of another cluster may have the same. */
        boolean isOf(long cluster) {
            return answer != null && answer.message().getHeader().getClusterId() == cluster;
        }
    }

    /**
     * One look. Whoever takes no connection within {@code --dial-timeout}, or does not answer within {@code --command-timeout}, is
     * taken for down.
     *
     * @param comparesHashes whether all members are asked for their hash, which reads all that they hold
     * @throws Failure if no endpoint tells who the members are, with exit code BAD_CONNECTION if one may do so later
     */
    Sighting look(boolean comparesHashes) {
        List<String> unanswered = new ArrayList<>();
        MemberListResponse list = list();
        Map<Long, Asked> byMember = new LinkedHashMap<>();
        List<String> strangers = new ArrayList<>();
        for (Asked asked : all(context.endpoints(), this::status)) {
            boolean isMember = asked.isOf(list.getHeader().getClusterId())
                    && list.getMembersList().stream().anyMatch(member -> member.getID() == asked.member());
            if (isMember) {
                byMember.putIfAbsent(asked.member(), asked);
            } else if (asked.answer != null) {
                strangers.add(asked.endpoint);
            }
        }
        Map<Long, String> silences = findTheOthers(list, byMember);
        boolean hasQuorum = isQuorum(list, byMember.keySet());
        if (hasQuorum && isListOld) {
            // Of members that it does not know yet one more may be down, and the quorum be another.
            unanswered.add("the list of members cannot be had behind a read");
        }
        Map<Long, ReadThrough> reads = hasQuorum ? reads(byMember, unanswered) : Map.of();
        List<MemberSeen> members = new ArrayList<>();
        for (Member member : list.getMembersList()) {
            members.add(seen(member, byMember.get(member.getID()), silences.getOrDefault(member.getID(), ""),
                    reads.getOrDefault(member.getID(), ReadThrough.NONE)));
        }
        members.sort(Comparator.comparing(MemberSeen::name).thenComparing(MemberSeen::hexId));
        // Without a quorum nobody answers these, and that there is none says enough.
        List<Sighting.Alarm> alarms = hasQuorum ? alarms(unanswered) : List.of();
        Hashes hashes = hasQuorum && comparesHashes ? hashes(members) : new Hashes.NotAsked();
        return new Sighting(members, strangers, alarms, unanswered, hashes);
    }

    private static boolean isQuorum(MemberListResponse list, Set<Long> up) {
        List<Member> voters = list.getMembersList().stream().filter(member -> !member.getIsLearner()).toList();
        return voters.stream().filter(member -> up.contains(member.getID())).count() > voters.size() / 2;
    }

    /** Behind a read; without a quorum what a single member knows, and if nobody answers any more what was known before. */
    private MemberListResponse list() {
        String first = "";
        for (boolean isLinearizable : new boolean[]{true, false}) {
            isListOld = !isLinearizable;
            try {
                MemberListResponse list = cluster().call(Method.MEMBER_LIST,
                        MemberListRequest.newBuilder().setLinearizable(isLinearizable).build(),
                        MemberListResponse.parser(), shortly());
                lastList = list;
                return list;
            } catch (RpcException why) {
                if (why.code() == Code.INVALID_ARGUMENT || why.code() == Code.PERMISSION_DENIED) {
                    throw Failure.of("the members answer to their users alone: " + words(why)
                            + ". Give --user of one of the role root");
                }
                first = first.isEmpty() ? words(why) : first;
            } catch (Failure why) {
                first = first.isEmpty() ? String.valueOf(why.getMessage()) : first;
            }
        }
        MemberListResponse before = lastList;
        if (before == null) {
            throw new Failure(Failure.BAD_CONNECTION, "no endpoint tells who the members are: " + first);
        }
        return before;
    }

    /** A client of whichever endpoint answers. */
    private Client cluster() {
        Client known = ofAll;
        if (known == null) {
            known = context.client();
            ofAll = known;
        }
        return known;
    }

    private Deadline shortly() {
        return Deadline.in(context.flags().number(GlobalFlags.DIAL_TIMEOUT));
    }

    /** Of a connection that could not be had in time, what the last try ended with: {@code dial tcp …: connection refused}. */
    private static String words(RpcException why) {
        int dialled = why.description().lastIndexOf(DIALLED);
        return !why.isLate() || dialled < 0 ? Errors.words(why)
                : why.description().substring(dialled + DIALLED.length()).replace("\"", "");
    }

    /** Asks members that are at no endpoint that was given where they say that they are; returns why others do not answer. */
    private Map<Long, String> findTheOthers(MemberListResponse list, Map<Long, Asked> byMember) {
        Map<String, Long> urls = new LinkedHashMap<>();
        for (Member member : list.getMembersList()) {
            if (!byMember.containsKey(member.getID())) {
                member.getClientURLsList().forEach(url -> urls.putIfAbsent(url, member.getID()));
            }
        }
        Map<Long, String> silences = new HashMap<>();
        for (Asked asked : all(urls.keySet(), this::status)) {
            long expected = urls.getOrDefault(asked.endpoint, 0L);
            if (asked.isOf(list.getHeader().getClusterId()) && asked.member() == expected) {
                byMember.putIfAbsent(expected, asked);
            } else {
                silences.putIfAbsent(expected, asked.answer == null ? asked.error
                        : "at " + asked.endpoint + " is member " + Long.toHexString(asked.member())
                                + (asked.member() == expected ? " of another cluster" : ""));
            }
        }
        return silences;
    }

    private Asked status(String endpoint) {
        try {
            // A call would try to connect for as long as it has time.
            Dial.probe(Endpoint.of(endpoint), shortly());
            return new Asked(endpoint, client(endpoint).ask(Method.STATUS, StatusRequest.getDefaultInstance(),
                    StatusResponse.parser(), context.deadline()), "");
        } catch (IOException why) {
            return new Asked(endpoint, null, String.valueOf(why.getMessage()));
        } catch (RpcException why) {
            return new Asked(endpoint, null, words(why));
        } catch (Failure why) {
            return new Asked(endpoint, null, String.valueOf(why.getMessage()));
        }
    }

    /** One for each endpoint; with users on, one that could not have a token is tried anew the next time. */
    private Client client(String endpoint) {
        synchronized (clients) {
            Client known = clients.get(endpoint);
            if (known != null) {
                return known;
            }
        }
        Client made = context.client(endpoint);
        synchronized (clients) {
            clients.put(endpoint, made);
        }
        return made;
    }

    /** A linearizable read through each member: it has to reach the leader. */
    private Map<Long, ReadThrough> reads(Map<Long, Asked> byMember, List<String> unanswered) {
        Map<Long, ReadThrough> reads = new HashMap<>();
        List<Asked> members = List.copyOf(byMember.values());
        List<ReadThrough> read = all(members.stream().map(Asked::endpoint).toList(), this::read);
        for (int i = 0; i < read.size(); i++) {
            long member = members.get(i).member();
            ReadThrough through = read.get(i);
            boolean isAnother = through.error.isEmpty() && through.member != 0 && through.member != member;
            reads.put(member, isAnother
                    ? new ReadThrough(through.member, Answer.NOT_TOLD, anotherAt(members.get(i).endpoint), "")
                    : through);
            if (!through.authError.isEmpty()) {
                unanswered.add("the revision of users at " + members.get(i).endpoint + " cannot be had: "
                        + through.authError);
            }
        }
        return reads;
    }

    /**
     * Of a read through an endpoint.
     *
     * @param member who answered; 0 if nobody says
     * @param authRevision of the users and roles there
     * @param error empty if it was answered
     * @param authError why there is no revision of users; empty if there is one, or nobody asked for it
     */
    private record ReadThrough(long member, long authRevision, String error, String authError) {
        static final ReadThrough NONE = failed("");

        static ReadThrough failed(String error) {
            return new ReadThrough(0, Answer.NOT_TOLD, error, "");
        }
    }

    /** An endpoint may be the address of several members, of which each connection reaches another one. */
    private static String anotherAt(String endpoint) {
        return "at " + endpoint + " is another member now";
    }

    private ReadThrough read(String endpoint) {
        try {
            RangeResponse answer = client(endpoint).call(Method.RANGE,
                    RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("health")).build(),
                    RangeResponse.parser(), context.deadline());
            return withUsers(endpoint, answer.getHeader().getMemberId());
        } catch (RpcException why) {
            // A refusal has gone through consensus as well.
            return Errors.words(why).equals(Errors.PERMISSION_DENIED) ? withUsers(endpoint, 0)
                    : ReadThrough.failed(Errors.words(why));
        } catch (Failure why) {
            return ReadThrough.failed(String.valueOf(why.getMessage()));
        }
    }

    /** Asked through the log, so that the answer is of what this member has applied up to now. */
    private ReadThrough withUsers(String endpoint, long reader) {
        try {
            AuthStatusResponse status = client(endpoint).call(Method.AUTH_STATUS,
                    AuthStatusRequest.getDefaultInstance(), AuthStatusResponse.parser(), context.deadline());
            boolean isAnother = reader != 0 && status.getHeader().getMemberId() != reader;
            return new ReadThrough(reader, status.getAuthRevision(), "", isAnother ? anotherAt(endpoint) : "");
        } catch (RpcException why) {
            return new ReadThrough(reader, Answer.NOT_TOLD, "", Errors.words(why));
        } catch (Failure why) {
            return new ReadThrough(reader, Answer.NOT_TOLD, "", String.valueOf(why.getMessage()));
        }
    }

    private static MemberSeen seen(Member member, @Nullable Asked asked, String silence, ReadThrough read) {
        Client.Answer<StatusResponse> answer = asked == null ? null : asked.answer;
        Answer said = null;
        if (asked != null && answer != null) {
            StatusResponse status = answer.message();
            boolean isQuoin = answer.headers().containsKey(Versions.HEADER);
            String target = status.getDowngradeInfo().getEnabled() ? status.getDowngradeInfo().getTargetVersion() : "";
            said = new Answer(asked.endpoint, isQuoin ? Kind.QUOIN : Kind.ETCD, status.getVersion(),
                    status.getStorageVersion(), status.getLeader(), status.getRaftTerm(), status.getRaftIndex(),
                    status.getRaftAppliedIndex(), status.getDbSize(), status.getDbSizeInUse(),
                    status.getDbSizeQuota(), target, read.authRevision,
                    read.error);
        }
        return new MemberSeen(member.getID(), member.getName(), member.getIsLearner(),
                List.copyOf(member.getPeerURLsList()), List.copyOf(member.getClientURLsList()), said,
                silence.isEmpty() ? "it has no address for clients" : silence);
    }

    private List<Sighting.Alarm> alarms(List<String> unanswered) {
        List<Sighting.Alarm> alarms = new ArrayList<>();
        try {
            cluster().call(Method.ALARM_LIST, AlarmRequest.getDefaultInstance(), AlarmResponse.parser(),
                    context.deadline()).getAlarmsList()
                    .forEach(alarm -> alarms.add(new Sighting.Alarm(alarm.getMemberID(),
                            switch (alarm.getAlarmValue()) {
                                case AlarmType.NOSPACE_VALUE -> "NOSPACE";
                                case AlarmType.CORRUPT_VALUE -> "CORRUPT";
                                default -> "UNKNOWN";
                            })));
        } catch (RpcException why) {
            unanswered.add("the list of alarms cannot be had: " + Errors.words(why));
        } catch (Failure why) {
            unanswered.add("the list of alarms cannot be had: " + why.getMessage());
        }
        return alarms;
    }

    /** At the lowest revision that all who answer have, tried anew if a compaction came between. */
    private Hashes hashes(List<MemberSeen> members) {
        Map<String, MemberSeen> at = new LinkedHashMap<>();
        for (MemberSeen member : members) {
            Answer answer = member.answer();
            if (answer != null && at.putIfAbsent(answer.endpoint(), member) != null) {
                return new Hashes.Unknown("several members are at " + answer.endpoint());
            }
        }
        Hashes hashes = new Hashes.Unknown("no member answers");
        for (int attempt = 0; attempt < HASH_TRIES && hashes instanceof Hashes.Unknown; attempt++) {
            if (attempt > 0) {
                sleep(TRY_MILLIS);
            }
            hashes = hashesOnce(at);
        }
        return hashes;
    }

    /** Of whom was seen at these endpoints, and of nobody else: no member's hash may stand for another's. */
    private Hashes hashesOnce(Map<String, MemberSeen> at) {
        List<MemberSeen> members = List.copyOf(at.values());
        List<Asked> statuses = all(at.keySet(), this::status);
        long revision = Long.MAX_VALUE;
        for (int i = 0; i < statuses.size(); i++) {
            Asked asked = statuses.get(i);
            if (asked.answer == null) {
                return new Hashes.Unknown(members.get(i).label() + " does not answer: " + asked.error);
            }
            if (asked.member() != members.get(i).id()) {
                return new Hashes.Unknown(anotherAt(asked.endpoint));
            }
            revision = Math.min(revision, asked.answer.message().getHeader().getRevision());
        }
        HashKVRequest request = HashKVRequest.newBuilder().setRevision(revision).build();
        List<Hashes.Told> told = new ArrayList<>();
        try {
            List<HashKVResponse> answers = all(at.keySet(), endpoint -> client(endpoint).call(Method.HASH_KV, request,
                    HashKVResponse.parser(), Deadline.in(TimeUnit.SECONDS.toNanos(HASH_SECONDS))));
            for (int i = 0; i < answers.size(); i++) {
                HashKVResponse answer = answers.get(i);
                if (answer.getHeader().getMemberId() != members.get(i).id()) {
                    return new Hashes.Unknown(anotherAt(statuses.get(i).endpoint));
                }
                told.add(new Hashes.Told(members.get(i).label(), answer.getHash(), answer.getHashRevision(),
                        answer.getCompactRevision()));
            }
        } catch (RpcException why) {
            return new Hashes.Unknown(Errors.words(why));
        }
        return Hashes.compare(told);
    }

    static void sleep(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw new Failure(Failure.INTERRUPTED, "interrupted");
        }
    }

    /** Asks all at the same time; answers in the order of the endpoints. */
    private static <T> List<T> all(Iterable<String> endpoints, Question<T> question) {
        Set<String> distinct = new LinkedHashSet<>();
        endpoints.forEach(distinct::add);
        List<T> answers = new ArrayList<>();
        try (ExecutorService askers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<T>> questions = new ArrayList<>();
            distinct.forEach(endpoint -> questions.add(() -> question.ask(endpoint)));
            for (Future<T> answer : askers.invokeAll(questions)) {
                answers.add(answer.get());
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw new Failure(Failure.INTERRUPTED, "interrupted");
        } catch (ExecutionException why) {
            throw why.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(why.getCause());
        }
        return answers;
    }

    private interface Question<T> {
        T ask(String endpoint);
    }
}
