package dev.quoin.ctl.migrate;

import org.junit.jupiter.api.Test;

import static dev.quoin.ctl.migrate.Kind.ETCD;
import static dev.quoin.ctl.migrate.Kind.QUOIN;
import static org.assertj.core.api.Assertions.assertThat;

/** The step of m2 from etcd to Quoin, as a watcher sees it. */
class ArrivalTest {
    private static Arrival of(Seen seen) {
        return Arrival.of(seen.look(), 2, QUOIN);
    }

    private static void awaits(Seen seen, String what) {
        assertThat(of(seen)).isEqualTo(new Arrival.Awaited(what));
    }

    @Test
    void itIsStoppedAndStartedAndCatchesUp() {
        awaits(Seen.of(ETCD, ETCD, ETCD), "m2 is still etcd");
        awaits(Seen.of(ETCD, ETCD, ETCD).down(2), "m2 does not answer: connection refused");
        awaits(Seen.of(ETCD, QUOIN, ETCD).led(2, 0), "the members do not agree on who leads");
        awaits(Seen.of(ETCD, QUOIN, ETCD).committed(1, 9000).applied(1, 9000).applied(3, 9000),
                "m2 has 8,000 entries still to apply");
        assertThat(of(Seen.of(ETCD, QUOIN, ETCD).hashes(new Hashes.NotAsked()))).isEqualTo(new Arrival.ToCompare());
        assertThat(of(Seen.of(ETCD, QUOIN, ETCD))).isEqualTo(new Arrival.Arrived());
    }

    @Test
    void whatHappensToOthersBeforeItIsStoppedHoldsItBack() {
        awaits(Seen.of(ETCD, ETCD, ETCD).down(3), "do not stop m2 now: m3 does not answer: connection refused");
        awaits(Seen.of(ETCD, ETCD, ETCD).alarm(0, "CORRUPT"),
                "do not stop m2 now: the alarm CORRUPT is raised");
        awaits(Seen.of(ETCD, ETCD, ETCD).led(2), "do not stop m2 now: it leads. Type quoin migrate next again");
    }

    @Test
    void whatHappensToOthersWhileItIsDownIsTold() {
        awaits(Seen.of(ETCD, ETCD, ETCD).down(2).down(3), "1 of 3 voting members answer: that is no quorum");
        awaits(Seen.of(ETCD, QUOIN, ETCD).down(3), "m3 does not answer: connection refused");
    }

    @Test
    void usersThatAreOthersAreWaitedFor() {
        awaits(Seen.of(ETCD, QUOIN, ETCD).users(2, 6),
                "the members do not have the same users and roles: their revisions are m1 7, m2 6, m3 7");
    }

    @Test
    void whatTimeDoesNotMendIsWrong() {
        Seen differs = Seen.of(ETCD, QUOIN, ETCD).hashes(new Hashes.Differ(42, "m1 1, m2 2, m3 1"));
        assertThat(of(differs)).isInstanceOfSatisfying(Arrival.Wrong.class,
                wrong -> assertThat(wrong.why().code()).isEqualTo("hash-differs"));
        assertThat(of(Seen.of(ETCD, QUOIN, ETCD).alarm(2, "CORRUPT"))).isInstanceOfSatisfying(Arrival.Wrong.class,
                wrong -> assertThat(wrong.why().code()).isEqualTo("alarm"));
        assertThat(Arrival.of(Seen.of(ETCD).look(), 2, QUOIN)).isInstanceOfSatisfying(Arrival.Wrong.class,
                wrong -> assertThat(wrong.why().text()).isEqualTo("2 is no member any more"));
    }

    /** A list that no quorum stands behind may be from before it joined. */
    @Test
    void whoIsNotInAnOldListIsNotTakenForRemoved() {
        Arrival.Awaited awaited = new Arrival.Awaited("whether 2 is a member is not known now");
        assertThat(Arrival.of(Seen.of(ETCD).unanswered("the list").look(), 2, QUOIN)).isEqualTo(awaited);
        assertThat(Arrival.of(Seen.of(ETCD).down(1).look(), 2, QUOIN)).isEqualTo(awaited);
    }

    @Test
    void theWayBackIsJudgedAsTheWayThere() {
        assertThat(Arrival.of(Seen.of(QUOIN, QUOIN, QUOIN).look(), 2, ETCD))
                .isEqualTo(new Arrival.Awaited("m2 is still Quoin"));
        assertThat(Arrival.of(Seen.of(QUOIN, ETCD, QUOIN).look(), 2, ETCD)).isEqualTo(new Arrival.Arrived());
    }

    @Test
    void whoAsksAboutNobodyAsksAboutAll() {
        assertThat(Arrival.ofAll(Seen.of(ETCD, QUOIN, ETCD).look())).isEqualTo(new Arrival.Arrived());
        assertThat(Arrival.ofAll(Seen.of(ETCD, QUOIN, ETCD).down(1).look()))
                .isEqualTo(new Arrival.Awaited("m1 does not answer: connection refused"));
    }
}
