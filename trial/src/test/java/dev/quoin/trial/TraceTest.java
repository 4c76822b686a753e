package dev.quoin.trial;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** {@link SyncTest}'s judgement is itself judged: by traces, as strace writes them, of servers that answer too early. */
class TraceTest {
    private static final int PORT = 2379;
    private static final String SOCKET = "40<TCPv6:[[::ffff:127.0.0.1]:2379->[::ffff:127.0.0.1]:50000]>";
    private static final String LOG = "32<" + hex("/data/member/wal/0.wal".getBytes(StandardCharsets.UTF_8)) + ">";

    private static final String REQUEST = "10 read(" + SOCKET + ", \""
            + hex("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII))
            + hex(frame(1, 4, 3)) + hex(frame(0, 1, 3)) + "\", 2048) = 42";
    private static final String LOGGED = "11 pwrite64(" + LOG + ", \"\\x01\"..., 65536, 0) = 65536";
    private static final String SYNCED = "11 fdatasync(" + LOG + ") = 0";
    private static final String SYNC_BEGINS = "11 fdatasync(" + LOG + " <unfinished ...>";
    private static final String SYNC_ENDS = "11 <... fdatasync resumed>) = 0";
    private static final String ANSWER = "10 write(" + SOCKET + ", \"" + hex(frame(1, 5, 3)) + "\", 9) = 9";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    /** An empty HTTP/2 frame. */
    private static byte[] frame(int type, int flags, int stream) {
        return new byte[]{0, 0, 0, (byte) type, (byte) flags, 0, 0, 0, (byte) stream};
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().withPrefix("\\x").formatHex(bytes);
    }

    private int judged(String... lines) throws IOException {
        Path file = Files.write(home.resolve("trace"), List.of(lines));
        return SyncTest.syncedAnswers(Trace.read(file), PORT);
    }

    private void isNoticed(String... lines) {
        assertThatThrownBy(() -> judged(lines)).isInstanceOf(AssertionError.class)
                .hasMessageContaining("stream 3: written and synced between");
    }

    @Test
    void anAnswerAfterItsSyncIsAsItShouldBe() throws IOException {
        assertThat(judged(REQUEST, LOGGED, SYNCED, ANSWER)).isEqualTo(1);
        assertThat(judged(REQUEST, LOGGED, SYNC_BEGINS, SYNC_ENDS, ANSWER)).isEqualTo(1);
    }

    @Test
    void anAnswerWithoutASyncIsNoticed() {
        isNoticed(REQUEST, LOGGED, ANSWER);
        isNoticed(REQUEST, LOGGED, ANSWER, SYNCED);
        isNoticed(REQUEST, ANSWER);
    }

    @Test
    void anAnswerWhileTheSyncRunsIsNoticed() {
        isNoticed(REQUEST, LOGGED, SYNC_BEGINS, ANSWER, SYNC_ENDS);
    }

    @Test
    void aSyncThatBeganBeforeTheWriteDoesNotCount() {
        isNoticed(REQUEST, SYNC_BEGINS, LOGGED.replaceFirst("11", "12"), SYNC_ENDS, ANSWER);
        isNoticed(SYNCED, REQUEST, LOGGED, ANSWER);
    }

    @Test
    void aSyncThatFailedOrWasOfAnotherFileDoesNotCount() {
        isNoticed(REQUEST, LOGGED, SYNCED.replace("= 0", "= -1 EIO (Input/output error) (INJECTED)"), ANSWER);
        isNoticed(REQUEST, LOGGED, SYNCED.replace(LOG, "33</data/member/ledger/1.ledger>"), ANSWER);
    }
}
