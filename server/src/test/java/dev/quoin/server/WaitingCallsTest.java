package dev.quoin.server;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.Test;

import dev.quoin.api.v3lockpb.LockRequest;
import dev.quoin.api.v3lockpb.LockResponse;
import dev.quoin.base.Bytes;
import dev.quoin.member.Failure;
import dev.quoin.net.Call;
import dev.quoin.net.Metadata;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

import static org.assertj.core.api.Assertions.assertThat;

class WaitingCallsTest {
    private static final Bytes REQUEST = Bytes
            .of(LockRequest.newBuilder().setLease(7).build().toByteArray());

    private final AtomicBoolean hasLeader = new AtomicBoolean(true);
    private final WaitingCalls calls = new WaitingCalls(2);
    private final Semaphore waiting = new Semaphore(0);
    /** Waits until its client is gone. */
    private final Method method = new CallGate(() -> false, hasLeader::get)
            .before(calls.unary("/v3lockpb.Lock/Lock", LockRequest.parser(), this::work));

    private LockResponse work(Call call, LockRequest request, Nudge nudge)
            throws StatusException, InterruptedException {
        assertThat(request.getLease()).isEqualTo(7);
        while (!call.cancelled()) {
            waiting.release();
            nudge.await();
        }
        throw new StatusException(Errors.CANCELLED);
    }

    private void awaitWaiting(int more) throws Exception {
        assertThat(waiting.tryAcquire(more, 20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void soManyMayWaitAndOneMoreIsRefused() throws Exception {
        RecordedCall one = new RecordedCall(method, REQUEST);
        RecordedCall two = new RecordedCall(method, REQUEST);
        awaitWaiting(2);
        assertThat(new RecordedCall(method, REQUEST).status()).isEqualTo(Errors.of(Failure.TOO_MANY_REQUESTS));
        one.cancel();
        assertThat(one.status()).isEqualTo(Errors.CANCELLED);
        assertThat(two.isOver()).isFalse();
        // The place is free a moment after the answer.
        RecordedCall next = new RecordedCall(method, REQUEST);
        while (next.isOver()) {
            Thread.sleep(1);
            next = new RecordedCall(method, REQUEST);
        }
        awaitWaiting(1);
        two.cancel();
        next.cancel();
        assertThat(next.status()).isEqualTo(Errors.CANCELLED);
    }

    @Test
    void aCallIsNudgedWhenItHasRoomAgain() throws Exception {
        RecordedCall call = new RecordedCall(method, REQUEST);
        awaitWaiting(1);
        call.room(false);
        call.room(true);
        awaitWaiting(1);
        call.cancel();
        assertThat(call.status()).isEqualTo(Errors.CANCELLED);
    }

    @Test
    void whatIsNoRequestIsRefused() throws Exception {
        Status status = new RecordedCall(method, Bytes.of(new byte[]{10, 5, 1})).status();
        assertThat(status.code()).isEqualTo(Status.Code.INTERNAL);
        assertThat(status.message()).startsWith("grpc: error unmarshalling request");
    }

    @Test
    void aSecondMessageIsPassedOver() throws Exception {
        RecordedCall call = new RecordedCall(method, REQUEST);
        awaitWaiting(1);
        method.handler().onMessage(call, REQUEST);
        call.cancel();
        assertThat(call.status()).isEqualTo(Errors.CANCELLED);
        assertThat(waiting.availablePermits()).isZero();
    }

    @Test
    void whoWantsALeaderIsRefusedWhileThereIsNone() throws Exception {
        hasLeader.set(false);
        Metadata wants = Metadata.of("hasleader", "true");
        assertThat(new RecordedCall(method, wants, REQUEST).status()).isEqualTo(Errors.NO_LEADER);
        RecordedCall other = new RecordedCall(method, REQUEST);
        awaitWaiting(1);
        other.cancel();
    }

    @Test
    void aStreamEndsWell() throws Exception {
        Method stream = calls.stream("/v3electionpb.Election/Observe", LockRequest.parser(),
                (call, request, nudge) -> call.send(REQUEST));
        RecordedCall call = new RecordedCall(stream, REQUEST);
        assertThat(call.status()).isEqualTo(Status.OK);
        assertThat(call.sent()).containsExactly(REQUEST);
    }
}
