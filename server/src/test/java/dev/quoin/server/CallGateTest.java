package dev.quoin.server;

import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.Handler;
import dev.quoin.net.Metadata;
import dev.quoin.net.Method;
import dev.quoin.net.Status;

import static org.assertj.core.api.Assertions.assertThat;

/** What is refused before any service hears of it. */
class CallGateTest {
    private static final Metadata WANTS_LEADER = Metadata.of("hasleader", "true");
    private static final Bytes ANY = Bytes.EMPTY;

    private final AtomicBoolean isLearner = new AtomicBoolean();
    private final AtomicBoolean hasLeader = new AtomicBoolean(true);
    private final CallGate gate = new CallGate(isLearner::get, hasLeader::get);

    /** Answers everything well; a stream stays open. */
    private Method method(String path, Method.Kind kind) {
        return gate.before(Method.hot(path, kind, new Handler() {
            @Override
            public void onMessage(Call call, Bytes message) {
                if (kind == Method.Kind.UNARY) {
                    call.finish(Status.OK);
                }
            }
        }));
    }

    @Test
    void whoWantsALeaderIsRefusedWhileThereIsNone() throws Exception {
        Method list = method("/etcdserverpb.Cluster/MemberList", Method.Kind.UNARY);
        Method watch = method("/etcdserverpb.Watch/Watch", Method.Kind.BIDI);
        assertThat(new RecordedCall(list, WANTS_LEADER, ANY).status()).isEqualTo(Status.OK);
        hasLeader.set(false);
        assertThat(new RecordedCall(list, WANTS_LEADER, ANY).status()).isEqualTo(Errors.NO_LEADER);
        assertThat(new RecordedCall(list, ANY).status()).isEqualTo(Status.OK);
        assertThat(new RecordedCall(watch, WANTS_LEADER, ANY).status()).isEqualTo(Errors.NO_LEADER);
        assertThat(new RecordedCall(watch, ANY).isOver()).isFalse();
    }

    @Test
    void anOpenStreamEndsAfterThreeElectionTimeoutsWithoutALeader() throws Exception {
        Method watch = method("/etcdserverpb.Watch/Watch", Method.Kind.BIDI);
        RecordedCall wants = new RecordedCall(watch, WANTS_LEADER, ANY);
        RecordedCall does = new RecordedCall(watch, ANY);
        hasLeader.set(false);
        gate.tick();
        gate.tick();
        hasLeader.set(true);
        gate.tick();
        hasLeader.set(false);
        gate.tick();
        gate.tick();
        assertThat(wants.isOver()).as("never three in a row").isFalse();
        gate.tick();
        assertThat(wants.status()).isEqualTo(Errors.NO_LEADER);
        assertThat(does.isOver()).isFalse();
    }

    @Test
    void aLearnerTellsItsStatusAndWhatMayBeStale() throws Exception {
        isLearner.set(true);
        Bytes stale = Bytes.of(RangeRequest.newBuilder().setSerializable(true).build().toByteArray());
        Method range = method("/etcdserverpb.KV/Range", Method.Kind.UNARY);
        assertThat(new RecordedCall(method("/etcdserverpb.Maintenance/Status", Method.Kind.UNARY), ANY).status())
                .isEqualTo(Status.OK);
        assertThat(new RecordedCall(range, stale).status()).isEqualTo(Status.OK);
        assertThat(new RecordedCall(range, ANY).status()).isEqualTo(Errors.NOT_FOR_LEARNERS);
        assertThat(new RecordedCall(method("/etcdserverpb.KV/Put", Method.Kind.UNARY), stale).status())
                .isEqualTo(Errors.NOT_FOR_LEARNERS);
        assertThat(new RecordedCall(method("/etcdserverpb.Watch/Watch", Method.Kind.BIDI), ANY).status())
                .isEqualTo(Errors.NOT_FOR_LEARNERS);
        assertThat(new RecordedCall(method("/etcdserverpb.Maintenance/Snapshot", Method.Kind.SERVER_STREAMING), ANY)
                .isOver()).as("also of a learner one takes the state").isFalse();
    }
}
