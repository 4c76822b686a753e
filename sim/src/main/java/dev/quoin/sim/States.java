package dev.quoin.sim;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.member.Member;
import dev.quoin.member.Membership;
import dev.quoin.store.Hashing;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.View;

/**
 * What members hold at a place in the log: the same on all of them, and what the model says. Revisions and members are
 * compared after every batch, everything that is stored now and then.
 */
final class States {
    /** Everything is compared where the place in the log is a multiple of this: all members stop at some of them. */
    private static final int ALL_EVERY = 32;

    private final Simulation simulation;
    private final Map<Long, Membership> memberships = new HashMap<>();
    private final Map<Long, Hashing> hashes = new HashMap<>();
    private Membership newest = Membership.NONE;
    private long newestIndex = -1;

    States(Simulation simulation) {
        this.simulation = simulation;
    }

    /** The members as of the last entry that anybody has applied. */
    Membership members() {
        return newest;
    }

    /** The apply loop had a turn. */
    void applied(Host host, Life life) {
        Member member = life.member();
        long index = member.status().appliedIndex();
        View view = member.view();
        Violation.check(index >= life.lastApplied, "%s: applied %d after %d", host, index, life.lastApplied);
        Violation.check(view.revision() >= life.lastRevision, "%s: revision %d after %d", host, view.revision(),
                life.lastRevision);
        if (index == life.lastApplied) {
            return;
        }
        life.lastApplied = index;
        life.lastRevision = view.revision();
        Model model = simulation.model();
        Violation.check(index <= model.index(), "%s has applied %d, committed is %d", host, index, model.index());
        Violation.check(view.revision() == model.revisionAt(index), "%s: revision %d at index %d, it must be %d", host,
                view.revision(), index, model.revisionAt(index));
        Violation.check(view.compactedRevision() == model.compactedAt(index),
                "%s: compacted to %d at index %d, it must be %d", host, view.compactedRevision(), index,
                model.compactedAt(index));
        compareMembers(host, member.membership(), index);
        if (index % ALL_EVERY == 0) {
            compareAll(host, member, index);
        }
    }

    private void compareMembers(Host host, Membership membership, long index) {
        Membership other = memberships.putIfAbsent(index, membership);
        Violation.check(other == null || other.equals(membership), "%s: at index %d its members are %s, another's %s",
                host, index, membership, other);
        if (index > newestIndex) {
            newestIndex = index;
            boolean isChanged = !membership.equals(newest);
            newest = membership;
            if (isChanged) {
                simulation.membersChanged(membership);
            }
        }
    }

    /** Everything at the newest revision, and the hash that members compare. */
    void compareAll(Host host, Member member, long index) {
        View view = member.view();
        try {
            Violation.check(view.range(Query.of(KeyRange.everything())) instanceof Outcome.Ranged,
                    "%s refuses a range of everything", host);
            List<Bytes> kvs = ((Outcome.Ranged) view.range(Query.of(KeyRange.everything()))).kvs();
            List<Kv> is = kvs.stream().map(Kv::read).toList();
            List<Kv> expected = simulation.model().rangeAt(view.revision(), "\0", "\0");
            Violation.check(is.equals(expected), "%s: at index %d it holds %s, it must be %s", host, index, is,
                    expected);
            Hashing hash = member.hash(0);
            Hashing other = hashes.putIfAbsent(index, hash);
            Violation.check(other == null || other.equals(hash), "%s: at index %d its hash is %s, another's %s", host,
                    index, hash, other);
            simulation.tally().count("states compared");
        } catch (Damaged damaged) {
            simulation.excuse(host, damaged);
        }
    }
}
