package dev.quoin.server;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.ReadAnswer;
import dev.quoin.server.health.HealthHost;
import dev.quoin.store.AlarmMember;

/**
 * The member, as those see it who ask for its health.
 *
 * <p>A read that needs a quorum ends within two election timeouts, and at once when the leader is lost or the disk of the
 * log hangs. So a member that is cut off says so within two election timeouts of the cut: for as long it may take it to
 * notice that it has no leader. etcd's read ends with its leader too, and waits 7 s for all else.
 */
final class MemberHealth implements HealthHost {
    private static final long LOOK_MILLIS = 20;
    private static final String TIMEOUT = Errors.of(Failure.TIMEOUT).message();

    private final Member member;
    private final long patienceMillis;

    MemberHealth(Member member, Duration electionTimeout) {
        this.member = member;
        this.patienceMillis = 2 * electionTimeout.toMillis();
    }

    @Override
    public List<Alarm> alarms() {
        return member.view().alarms().stream().map(alarm -> new Alarm(name(alarm), MaintenanceService.text(alarm)))
                .toList();
    }

    private static String name(AlarmMember alarm) {
        AlarmType type = AlarmType.forNumber(alarm.type());
        return type == null ? Integer.toString(alarm.type()) : type.name();
    }

    @Override
    public boolean hasLeader() {
        return member.leader() != 0;
    }

    @Override
    public boolean isLearner() {
        return member.isLearner();
    }

    /** What is here can always be read. */
    @Override
    public @Nullable String readFailure(boolean serializable) throws InterruptedException {
        return serializable ? null : linearizableFailure();
    }

    private @Nullable String linearizableFailure() throws InterruptedException {
        long leader = member.leader();
        if (leader == 0) {
            return TIMEOUT;
        }
        CompletableFuture<String> failure = new CompletableFuture<>();
        member.read(new ReadAnswer() {
            @Override
            public void ready() {
                failure.complete("");
            }

            @Override
            public void failed(Failure why) {
                failure.complete(Errors.of(why).message());
            }
        });
        for (long waited = 0; waited < patienceMillis && !member.isLogLate(); waited += LOOK_MILLIS) {
            String why = within(failure);
            if (why != null) {
                return why.isEmpty() ? null : why;
            }
            if (member.leader() != leader) {
                return Errors.LEADER_CHANGED.message();
            }
        }
        return TIMEOUT;
    }

    /** Null if it is not there yet. */
    private static @Nullable String within(CompletableFuture<String> failure) throws InterruptedException {
        try {
            return failure.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException notYet) {
            return null;
        } catch (ExecutionException impossible) {
            throw new IllegalStateException("a future of ours failed", impossible);
        }
    }
}
