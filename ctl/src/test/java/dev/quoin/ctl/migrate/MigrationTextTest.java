package dev.quoin.ctl.migrate;

import java.util.List;

import org.junit.jupiter.api.Test;

import static dev.quoin.ctl.migrate.Kind.ETCD;
import static dev.quoin.ctl.migrate.Kind.QUOIN;
import static org.assertj.core.api.Assertions.assertThat;

class MigrationTextTest {
    private static final HostCommands HOST = new HostCommands("systemctl stop {program}",
            "ssh {host} systemctl start {program}", "quoin export {data-dir}", "/var/lib/etcd/{name}");

    private static String step(Seen seen, Kind target) {
        return MigrationText.step(Plan.of(seen.look(), target, true), HOST);
    }

    @Test
    void aTableOfWhoIsWhat() {
        assertThat(MigrationText.table(Seen.of(ETCD, QUOIN, ETCD, ETCD).down(3).learner(4).applied(2, 994).look()))
                .isEqualTo("""
                        MEMBER  ID  PROGRAM  VERSION  ROLE       BEHIND  STORE   ENDPOINT
                        m1      1   etcd     3.7.1    leader     0       1.0 MB  http://10.0.0.1:2379
                        m2      2   Quoin    3.7.1    follower   6       1.0 MB  http://10.0.0.2:2379
                        m3      3   -        -        no answer  -       -       http://10.0.0.3:2379
                        m4      4   etcd     3.7.1    learner    0       1.0 MB  http://10.0.0.4:2379
                        """);
    }

    @Test
    void findingsAreALineEach() {
        Plan plan = Plan.of(Seen.of(ETCD, ETCD, ETCD).alarm(2, "NOSPACE").look(), QUOIN, true);
        assertThat(MigrationText.summary(plan))
                .isEqualTo("0 of 3 members are Quoin. All hold the same at revision 42.\n");
        assertThat(MigrationText.findings(plan.findings()))
                .isEqualTo("STOP  the alarm NOSPACE is raised for m2. Make room first: quoin help quota\n");
    }

    @Test
    void whatIsTypedThere() {
        assertThat(step(Seen.of(ETCD, ETCD, ETCD), QUOIN)).isEqualTo("""
                Next: m2 becomes Quoin.
                Quoin is started with etcd's flags, variables or configuration file, on etcd's data directory.

                On the host of m2, 10.0.0.2:

                  systemctl stop etcd
                  ssh 10.0.0.2 systemctl start quoin

                Then here, which waits and checks:

                  quoin migrate verify m2 --to quoin
                """);
    }

    @Test
    void whatIsTypedBack() {
        assertThat(step(Seen.of(QUOIN, QUOIN, QUOIN), ETCD)).contains("""
                  systemctl stop quoin
                  quoin export /var/lib/etcd/m2
                  ssh 10.0.0.2 systemctl start etcd
                """);
    }

    @Test
    void whoIsDownIsStartedAsTheOneOrAsTheOther() {
        assertThat(step(Seen.of(ETCD, ETCD, ETCD).down(2), QUOIN)).isEqualTo("""
                First: m2 is started, as the one or as the other; its directory tells:

                On the host of m2, 10.0.0.2:

                  quoin doctor /var/lib/etcd/m2

                As Quoin, if this is its step:

                  # ssh 10.0.0.2 systemctl start quoin

                Or as etcd, if it is not, or to give it up; once Quoin has opened the
                directory only what is exported is etcd's again:

                  # quoin export /var/lib/etcd/m2
                  # ssh 10.0.0.2 systemctl start etcd

                Then here, which waits and checks:

                  quoin migrate verify
                """);
        assertThat(step(Seen.of(QUOIN, ETCD, ETCD).down(1), ETCD)).contains("""
                Or as Quoin, if it is not, or to give it up:

                  # ssh 10.0.0.1 systemctl start quoin
                """);
    }

    @Test
    void aNameIsNoCommand() {
        Seen seen = Seen.of(ETCD, ETCD, ETCD).named(2, "m2; reboot'");
        HostCommands host = new HostCommands("stop {name} {id}", "start {name}", "", "");
        assertThat(MigrationText.commands(Plan.of(seen.look(), QUOIN, true), host))
                .isEqualTo(List.of("stop 'm2; reboot'\\''' 2", "start 'm2; reboot'\\'''"));
    }

    @Test
    void anAddressOfIpv6IsBare() {
        MemberSeen member = new MemberSeen(1, "m1", false, List.of("https://[fe80::1]:2380"), List.of(), null, "");
        assertThat(new HostCommands("", "ssh {host} start", "", "").start(member, QUOIN)).isEqualTo(
                "ssh fe80::1 start");
    }

    @Test
    void theRestIsASentence() {
        assertThat(step(Seen.of(ETCD, QUOIN, QUOIN), QUOIN)).isEqualTo(
                "Next: m1, which leads. Leadership goes to m2 first, by quoin migrate next; then m1 becomes Quoin.\n");
        assertThat(step(Seen.of(QUOIN, QUOIN), QUOIN)).isEqualTo("Nothing is left to do: all members are Quoin.\n");
    }
}
