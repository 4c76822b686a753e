package dev.quoin.ctl.command;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.api.etcdserverpb.AlarmMember;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.AuthStatusResponse;
import dev.quoin.api.etcdserverpb.HashKVResponse;
import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.ctl.cli.CommandLine;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.rpc.CannedServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What the command asks of a cluster of one, and what it says; whole walks are in trial. */
class MigrateCommandTest {
    private static final ResponseHeader HEADER = ResponseHeader.newBuilder().setClusterId(7).setMemberId(0xa1)
            .setRevision(42).setRaftTerm(2).build();

    /** A message for each path, and before it others, each once; an empty one is a refusal. */
    private static final class Answers extends HashMap<String, byte[]> {
        private static final long serialVersionUID = 1L;

        private final transient Map<String, Deque<byte[]>> first = new HashMap<>();

        void first(String path, byte[] answer) {
            first.computeIfAbsent(path, any -> new ArrayDeque<>()).add(answer);
        }

        @Override
        public synchronized byte @Nullable [] get(@Nullable Object path) {
            Deque<byte[]> left = first.getOrDefault(path, new ArrayDeque<>());
            byte[] answer = left.isEmpty() ? super.get(path) : left.remove();
            return answer == null || answer.length == 0 ? null : answer;
        }
    }

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Answers answers = new Answers();
    private String typed = "";
    private Runnable beforeTyping = () -> {};

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @BeforeEach
    void aMemberThatIsWell() {
        answers.put("/etcdserverpb.Cluster/MemberList",
                MemberListResponse.newBuilder().setHeader(HEADER).addMembers(Member.newBuilder().setID(0xa1)
                        .setName("m1").addPeerURLs("http://10.0.0.1:2380").addClientURLs("http://10.0.0.1:2379"))
                        .build().toByteArray());
        answers.put("/etcdserverpb.Maintenance/Status", status("3.7.1").toByteArray());
        answers.put("/etcdserverpb.KV/Range", RangeResponse.newBuilder().setHeader(HEADER).build().toByteArray());
        answers.put("/etcdserverpb.Maintenance/Alarm",
                AlarmResponse.newBuilder().setHeader(HEADER).build().toByteArray());
        answers.put("/etcdserverpb.Auth/AuthStatus",
                AuthStatusResponse.newBuilder().setHeader(HEADER).setAuthRevision(1).build().toByteArray());
        answers.put("/etcdserverpb.Maintenance/HashKV", HashKVResponse.newBuilder().setHeader(HEADER).setHash(9)
                .setHashRevision(42).setCompactRevision(-1).build().toByteArray());
    }

    private static StatusResponse status(String version) {
        return StatusResponse.newBuilder().setHeader(HEADER).setVersion(version).setStorageVersion("3.7.0")
                .setLeader(0xa1).setRaftIndex(50).setRaftAppliedIndex(50).setRaftTerm(2).setDbSize(25_000)
                .setDbSizeInUse(20_000).build();
    }

    private String run(String... words) throws IOException {
        try (CannedServer server = CannedServer.plain(answers)) {
            PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
            Streams streams = new Streams(typing(), stream,
                    stream, Map.of("ETCDCTL_ENDPOINTS", server.endpoint()));
            new CommandLine(QuoinCommands.all(streams), stream, stream).run(List.of(words));
            return printed().replace(server.endpoint(), "127.0.0.1:2379");
        }
    }

    /** What is typed, after {@link #beforeTyping}. */
    private InputStream typing() {
        return new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)) {
            @Override
            public synchronized int read() {
                beforeTyping.run();
                return super.read();
            }

            @Override
            public synchronized int read(byte[] into, int offset, int length) {
                beforeTyping.run();
                return super.read(into, offset, length);
            }
        };
    }

    private String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private void fails(int exitCode, String why, String... words) {
        assertThatThrownBy(() -> run(words)).isInstanceOfSatisfying(Failure.class, failure -> {
            assertThat(failure.getMessage()).isEqualTo(why);
            assertThat(failure.exitCode()).isEqualTo(exitCode);
        });
    }

    @Test
    void statusSaysWhoIsWhatAndWhatIsNext() throws Exception {
        assertThat(run("migrate", "status").replaceAll(" +\n", "\n"))
                .startsWith("""
                        MEMBER  ID  PROGRAM  VERSION  ROLE    BEHIND  STORE  ENDPOINT
                        m1      a1  etcd     3.7.1    leader  0       25 kB  127.0.0.1:2379

                        0 of 1 members are Quoin. All hold the same at revision 42.
                        ASK   m1 is the only member: while it is down nobody is served.
                        """)
                .contains("Next: m1 becomes Quoin.\n", "  systemctl stop etcd\n  systemctl start quoin\n",
                        "  quoin migrate verify m1 --to quoin\n");
    }

    @Test
    void programsReadALine() throws Exception {
        assertThat(run("migrate", "status", "-w", "json")).startsWith(
                "{\"to\":\"quoin\",\"done\":false,\"safe\":true,\"equal_at_revision\":42,"
                        + "\"members\":[{\"id\":161,\"name\":\"m1\",\"endpoint\":\"127.0.0.1:2379\",\"program\":\"etcd\","
                        + "\"version\":\"3.7.1\",\"role\":\"leader\",\"store_bytes\":25000}],"
                        + "\"findings\":[{\"severity\":\"ask\",\"code\":\"pause\",\"member\":161,\"text\":\"")
                .endsWith("\"step\":{\"action\":\"replace\",\"member\":{\"id\":161,\"name\":\"m1\"},"
                        + "\"commands\":[\"systemctl stop etcd\",\"systemctl start quoin\"],"
                        + "\"then\":\"quoin migrate verify m1 --to quoin\"}}\n");
    }

    @Test
    void whatIsThereAlreadyIsDone() throws Exception {
        assertThat(run("migrate", "next", "--to", "etcd")).contains("1 of 1 members is etcd.")
                .endsWith("Nothing is left to do: all members are etcd.\n");
        assertThat(run("migrate", "verify")).endsWith(
                "All members are healthy and caught up. All hold the same at revision 42.\n");
    }

    @Test
    void whatIsToBeAgreedToIsAsked() throws Exception {
        fails(Failure.ERROR, "not agreed to, nothing was done; --yes agrees", "migrate", "next");
        out.reset();
        fails(Failure.ERROR, "not agreed to, nothing was done; --yes agrees", "migrate", "next", "-w", "json");
        assertThat(printed()).startsWith("{\"to\":\"quoin\",").contains("\"severity\":\"ask\",\"code\":\"pause\"");
        out.reset();
        typed = "n\n";
        fails(Failure.ERROR, "not agreed to, nothing was done; --yes agrees", "migrate", "next");
        assertThat(printed()).endsWith("\nGo on? [y/N] ").doesNotContain("systemctl");
        typed = "y\n";
        assertThat(run("migrate", "next")).contains("systemctl stop etcd");
        typed = "";
        assertThat(run("migrate", "next", "--yes")).contains("systemctl stop etcd");
    }

    /** Whoever is asked may be at lunch. */
    @Test
    void whatHappensWhileSomebodyThinksStopsTheStep() {
        typed = "y\n";
        beforeTyping = this::raiseNoSpace;
        fails(Failure.ERROR, "no step is taken: the alarm NOSPACE is raised for m1", "migrate", "next");
        assertThat(printed()).endsWith("\nGo on? [y/N] ");
    }

    private void raiseNoSpace() {
        answers.put("/etcdserverpb.Maintenance/Alarm", AlarmResponse.newBuilder().setHeader(HEADER)
                .addAlarms(AlarmMember.newBuilder().setMemberID(0xa1).setAlarm(AlarmType.NOSPACE)).build()
                .toByteArray());
    }

    /** Which of the two it was nobody here knows. */
    @Test
    void noScriptGoesOnToStartWhatIsDown() {
        answers.put("/etcdserverpb.Cluster/MemberList",
                MemberListResponse.newBuilder().setHeader(HEADER).addMembers(Member.newBuilder().setID(0xa1)
                        .setName("m1").addPeerURLs("http://10.0.0.1:2380").addClientURLs("http://10.0.0.1:2379"))
                        .addMembers(Member.newBuilder().setID(0xa2).setName("m2").addPeerURLs("http://10.0.0.2:2380")
                                .addClientURLs("http://127.0.0.1:1"))
                        .build().toByteArray());
        for (String format : List.of("simple", "json")) {
            assertThatThrownBy(() -> run("migrate", "next", "-w", format)).isInstanceOfSatisfying(Failure.class,
                    failure -> assertThat(failure.exitCode()).isEqualTo(Failure.ERROR));
        }
        assertThat(printed()).contains("STOP  1 of 2 voting members answer", "First: m2 is started",
                "  quoin doctor /var/lib/etcd/default\n", "  # systemctl start quoin\n", "  # systemctl start etcd\n",
                "\"step\":{\"action\":\"start\"").doesNotContain("stop etcd", "\n  systemctl");
    }

    @Test
    void whatIsWrongIsToldWithWhatToDo() {
        raiseNoSpace();
        fails(Failure.ERROR, "no step is taken: the alarm NOSPACE is raised for m1", "migrate", "status");
        assertThat(printed())
                .contains("STOP  the alarm NOSPACE is raised for m1. Make room first: quoin help quota\n")
                .doesNotContain("systemctl");
        fails(Failure.ERROR, "no step is taken: the alarm NOSPACE is raised for m1", "migrate", "next", "--yes");
        fails(6, "the alarm NOSPACE is raised for m1. Make room first: quoin help quota", "migrate", "verify");
    }

    /** A member that was added since may be down: how many are needed is not known. */
    @Test
    void aListThatNoReadStandsBehindStops() throws Exception {
        answers.first("/etcdserverpb.Cluster/MemberList", new byte[0]);
        fails(Failure.ERROR, "no step is taken: the list of members cannot be had behind a read", "migrate", "status");
        assertThat(run("migrate", "status")).contains("Next: m1 becomes Quoin.");
    }

    private static final ResponseHeader OF_ANOTHER = HEADER.toBuilder().setMemberId(0xb2).build();

    /** Behind an address of a service another connection may reach another member. */
    @Test
    void aHashOfAnotherMemberStandsForNone() {
        answers.put("/etcdserverpb.Maintenance/HashKV", HashKVResponse.newBuilder().setHeader(OF_ANOTHER).setHash(9)
                .setHashRevision(42).setCompactRevision(-1).build().toByteArray());
        assertThatThrownBy(() -> run("migrate", "status")).hasMessageContaining(
                "whether all hold the same is not known: at 127.0.0.1:").hasMessageEndingWith("is another member now");
    }

    @Test
    void aRevisionOfAnotherMemberIsNotCompared() {
        answers.first("/etcdserverpb.Maintenance/Status", status("3.7.1").toByteArray());
        answers.put("/etcdserverpb.Maintenance/Status",
                status("3.7.1").toBuilder().setHeader(OF_ANOTHER).build().toByteArray());
        assertThatThrownBy(() -> run("migrate", "status")).hasMessageContaining(
                "whether all hold the same is not known: at 127.0.0.1:").hasMessageEndingWith("is another member now");
    }

    @Test
    void aReadThroughAnotherMemberSaysNothing() {
        answers.put("/etcdserverpb.KV/Range", RangeResponse.newBuilder().setHeader(OF_ANOTHER).build().toByteArray());
        assertThatThrownBy(() -> run("migrate", "status")).hasMessageContaining(
                "m1 answers no read: at 127.0.0.1:").hasMessageEndingWith("is another member now");
    }

    @Test
    void whoDoesNotTellItsUsersStops() {
        answers.remove("/etcdserverpb.Auth/AuthStatus");
        assertThatThrownBy(() -> run("migrate", "status")).hasMessageContaining(
                "no step is taken: the revision of users at 127.0.0.1:");
    }

    /** Clusters made by the same flags have members of the same ids. */
    @Test
    void aMemberOfAnotherClusterIsAStranger() {
        answers.put("/etcdserverpb.Maintenance/Status", status("3.7.1").toBuilder()
                .setHeader(HEADER.toBuilder().setClusterId(8)).build().toByteArray());
        fails(Failure.ERROR, "no step is taken: 0 of 1 voting members answer: that is no quorum", "migrate", "status",
                "--dial-timeout", "500ms");
        assertThat(printed()).contains(" is no member of this cluster. Leave it out of --endpoints");
    }

    @Test
    void whatDoesNotComeIsNotWaitedForForEver() {
        fails(Failure.INTERRUPTED,
                "waited 10ms in vain: m1 is still etcd. \"quoin migrate status\" says how to go on", "migrate",
                "verify", "a1",
                "--timeout", "10ms");
        assertThat(printed()).endsWith("waiting: m1 is still etcd\n");
    }

    @Test
    void aBackupIsNotWrittenOver() throws Exception {
        Path backup = Files.writeString(home.resolve("backup.db"), "precious");
        fails(Failure.ERROR,
                backup + " is there already: name another file, or, if it is the backup of this migration, "
                        + "leave --snapshot out",
                "migrate", "next", "--yes", "--snapshot", backup.toString());
        assertThat(backup).hasContent("precious");
    }

    @Test
    void wordsThatMeanNothingAreRefused() {
        fails(Failure.BAD_ARGUMENTS, "--to is quoin or etcd", "migrate", "status", "--to", "zookeeper");
        fails(Failure.BAD_ARGUMENTS, "migrate status takes no arguments", "migrate", "status", "m1");
        fails(Failure.BAD_ARGUMENTS, "there is no member m9", "migrate", "verify", "m9");
        fails(Failure.BAD_FEATURE, "table not supported as output format", "migrate", "status", "-w", "table");
        fails(Failure.BAD_FEATURE, "json not supported as output format", "migrate", "run", "-w", "json");
    }
}
