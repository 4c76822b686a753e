package dev.quoin.trial;

import java.nio.file.Path;
import java.util.List;

import io.etcd.jetcd.api.AlarmMember;
import io.etcd.jetcd.api.AlarmRequest;
import io.etcd.jetcd.api.AlarmRequest.AlarmAction;
import io.etcd.jetcd.api.AlarmType;
import io.etcd.jetcd.api.CompactionRequest;
import io.etcd.jetcd.api.DeleteRangeRequest;
import io.etcd.jetcd.api.MaintenanceGrpc;
import io.etcd.jetcd.api.MaintenanceGrpc.MaintenanceBlockingStub;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.RequestOp;
import io.etcd.jetcd.api.StatusRequest;
import io.etcd.jetcd.api.StatusResponse;
import io.etcd.jetcd.api.TxnRequest;
import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * A store that is full refuses what takes space, in etcd's words, and lets everything else through; a deletion and a
 * compaction make room, and the alarm that was raised is taken back by hand, as with etcd.
 */
class QuotaTest {
    private static final String NO_SPACE = "RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded";
    private static final long QUOTA = 4 << 20;
    private static final String VALUE = "x".repeat(100_000);

    @TempDir
    private Path home;

    @Test
    void fullAndEmptiedAgain() throws Exception {
        try (ServerProcess server = ServerProcess.prepared(home)) {
            server.with("--quota-backend-bytes=" + QUOTA).start();
            try (PlainClient client = new PlainClient(server)) {
                assertThat(fill(client)).isBetween(30, 45);
                assertFull(client);
            }
            // The alarm is part of the state: a restart does not forget it.
            server.kill9();
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                assertFull(client);
                makeRoom(client);
                assertThat(alarm(client, AlarmAction.GET)).hasSize(1);
                assertRefused(client);
                disarm(client);
                client.put("again", VALUE);
                assertThat(alarm(client, AlarmAction.GET)).isEmpty();
            }
        }
    }

    private static int fill(PlainClient client) {
        for (int n = 0; n < 1_000; n++) {
            try {
                client.put("k" + n, VALUE);
            } catch (StatusRuntimeException refused) {
                assertThat(refused).hasMessage(NO_SPACE);
                return n;
            }
        }
        throw new AssertionError("100 MB fit into a quota of 4");
    }

    private static void assertFull(PlainClient client) {
        assertRefused(client);
        StatusResponse status = maintenance(client).status(StatusRequest.getDefaultInstance());
        assertThat(status.getDbSizeInUse()).isLessThan(QUOTA).isGreaterThan(QUOTA / 2);
        assertThat(status.getErrorsList()).anyMatch(error -> error.contains("alarm:NOSPACE"));
        assertThat(alarm(client, AlarmAction.GET)).extracting(AlarmMember::getAlarm).containsExactly(AlarmType.NOSPACE);
        assertThat(client.pairs("k0")).as("reads go on").hasSize(1);
    }

    private static void assertRefused(PlainClient client) {
        assertThatThrownBy(() -> client.put("small", "x")).hasMessage(NO_SPACE);
        RequestOp put = RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(PlainClient.bytes("t")))
                .build();
        assertThatThrownBy(() -> client.kv().txn(TxnRequest.newBuilder().addFailure(put).build())).hasMessage(NO_SPACE);
    }

    private static void makeRoom(PlainClient client) {
        long revision = client.kv().deleteRange(DeleteRangeRequest.newBuilder().setKey(PlainClient.bytes("k"))
                .setRangeEnd(PlainClient.bytes("l")).build()).getHeader().getRevision();
        client.kv().compact(CompactionRequest.newBuilder().setRevision(revision).setPhysical(true).build());
        StatusResponse status = maintenance(client).status(StatusRequest.getDefaultInstance());
        assertThat(status.getDbSizeInUse()).as("what was given up does not count").isLessThan(QUOTA / 4);
    }

    private static void disarm(PlainClient client) {
        for (AlarmMember alarm : alarm(client, AlarmAction.GET)) {
            maintenance(client).alarm(AlarmRequest.newBuilder().setAction(AlarmAction.DEACTIVATE)
                    .setMemberID(alarm.getMemberID()).setAlarm(alarm.getAlarm()).build());
        }
    }

    private static List<AlarmMember> alarm(PlainClient client, AlarmAction action) {
        return maintenance(client).alarm(AlarmRequest.newBuilder().setAction(action).build()).getAlarmsList();
    }

    private static MaintenanceBlockingStub maintenance(PlainClient client) {
        return MaintenanceGrpc.newBlockingStub(client.channel());
    }
}
