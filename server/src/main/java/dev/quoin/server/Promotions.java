package dev.quoin.server;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Clock;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.Failure;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.Membership;
import dev.quoin.net.DialRequest;
import dev.quoin.net.HttpFields;
import dev.quoin.net.Metadata;
import dev.quoin.net.StatusException;
import dev.quoin.server.dial.Exchange;
import dev.quoin.server.dial.PeerHttp;

/**
 * Passes the promotion of a learner on to whoever leads, over its peer URLs (etcdserver/cluster_util.go promoteMemberHTTP).
 * Until it is decided on: the leader may change meanwhile.
 */
final class Promotions {
    private static final Logger LOG = LoggerFactory.getLogger(Promotions.class);
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int PRECONDITION_FAILED = 412;

    private final LongSupplier leader;
    private final Supplier<Membership> membership;
    private final PeerHttp http;
    private final Clock clock;
    private final Duration within;

    /**
     * @param leader the id of who leads, 0 if nobody is known to
     * @param within how long all of it may take
     */
    Promotions(LongSupplier leader, Supplier<Membership> membership, PeerHttp http, Clock clock, Duration within) {
        this.leader = leader;
        this.membership = membership;
        this.http = http;
        this.clock = clock;
        this.within = within;
    }

    /**
     * The members after the promotion.
     *
     * @param headers of the call, which may say in whose name it is made
     */
    List<MemberInfo> ask(long learner, Metadata headers) throws StatusException, InterruptedException {
        HttpFields fields = fields(headers);
        long deadline = clock.nanos() + within.toNanos();
        while (true) {
            for (String url : urlsOfLeader()) {
                long left = deadline - clock.nanos();
                if (left <= 0) {
                    break;
                }
                Optional<List<MemberInfo>> members = ask(url + "/members/promote/" + Long.toUnsignedString(learner),
                        fields, Duration.ofNanos(left));
                if (members.isPresent()) {
                    return members.get();
                }
            }
            if (deadline - clock.nanos() <= PAUSE.toNanos()) {
                throw new StatusException(Errors.of(Failure.TIMEOUT));
            }
            Thread.sleep(PAUSE);
        }
    }

    private List<String> urlsOfLeader() {
        return membership.get().member(leader.getAsLong()).map(MemberInfo::peerUrls).orElse(List.of());
    }

    private static HttpFields fields(Metadata headers) {
        String token = headers.text("token");
        String authorization = token == null ? headers.text("authorization") : token;
        return authorization == null ? HttpFields.EMPTY : HttpFields.of("authorization", authorization);
    }

    /** Empty if it is not decided: then it is asked again. */
    private Optional<List<MemberInfo>> ask(String url, HttpFields fields, Duration left)
            throws StatusException, InterruptedException {
        try {
            Exchange.Reply answer = http.post(url, fields, new DialRequest.Body.None(), left);
            switch (answer.status()) {
                case OK -> {
                    return Optional.of(MemberInfo.listOf(answer.text()));
                }
                case NOT_FOUND -> throw new StatusException(Errors.of(ChangeRefusal.ID_NOT_FOUND));
                case PRECONDITION_FAILED -> refuse(answer.text());
                default -> {}
            }
            LOG.atWarn().addKeyValue("address", url).addKeyValue("status", answer.status())
                    .log("the leader did not promote a member; asking again");
        } catch (IOException unreachable) {
            LOG.atWarn().addKeyValue("address", url).addKeyValue("error", unreachable.getMessage())
                    .log("the leader cannot be asked to promote a member; asking again");
        }
        return Optional.empty();
    }

    /** The longer text first: it contains the shorter, but for what stands before it. */
    private static void refuse(String text) throws StatusException {
        if (text.contains("etcdserver: can only promote a learner member which is in sync with leader")) {
            throw new StatusException(Errors.of(ChangeRefusal.LEARNER_NOT_READY));
        }
        if (text.contains("membership: can only promote a learner member")) {
            throw new StatusException(Errors.of(ChangeRefusal.NOT_A_LEARNER));
        }
    }
}
