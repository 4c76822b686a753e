package dev.quoin.ctl.gateway;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is (RFC 2782; etcd: server/proxy/tcpproxy/userspace.go, pick): of the servers that can be reached, those with the lowest
 * priority; of these, one by chance as their weights say, or, where none has a weight, each in turn. Two things are not as in etcd:
 * turns are taken within the priority, and shares are what the weights say, where etcd never picks the second of two equal ones.
 *
 * <p>Any thread's; it is asked for each connection, and holds its lock for a walk over a few servers.
 */
final class Remotes {
    /** Beside servers with a weight, those without get one connection in so many. */
    private static final int UNWEIGHTED_ONE_IN = 100;

    private final RandomGenerator chance;
    private final List<Remote> all;
    private final List<Remote> active;
    private int turn;

    Remotes(List<Remote> all, RandomGenerator chance) {
        this.all = all.stream().distinct().toList();
        this.active = new ArrayList<>(this.all);
        this.chance = chance;
    }

    /** Who gets the next connection; nobody if none can be reached. */
    synchronized @Nullable Remote pick() {
        int best = Integer.MAX_VALUE;
        for (Remote remote : active) {
            best = Math.min(best, remote.priority());
        }
        List<Remote> weighted = new ArrayList<>();
        List<Remote> unweighted = new ArrayList<>();
        for (Remote remote : active) {
            if (remote.priority() == best) {
                (remote.weight() > 0 ? weighted : unweighted).add(remote);
            }
        }
        if (weighted.isEmpty()) {
            return unweighted.isEmpty() ? null : inTurn(unweighted);
        }
        if (!unweighted.isEmpty() && chance.nextInt(UNWEIGHTED_ONE_IN) == 0) {
            return inTurn(unweighted);
        }
        return byWeight(weighted);
    }

    private Remote inTurn(List<Remote> equals) {
        Remote next = equals.get(turn % equals.size());
        turn = (turn + 1) % Integer.MAX_VALUE;
        return next;
    }

    private Remote byWeight(List<Remote> weighted) {
        int drawn = chance.nextInt(weighted.stream().mapToInt(Remote::weight).sum());
        int at = 0;
        while (drawn >= weighted.get(at).weight()) {
            drawn -= weighted.get(at).weight();
            at++;
        }
        return weighted.get(at);
    }

    /** It cannot be reached. */
    synchronized void deactivate(Remote remote) {
        active.remove(remote);
    }

    /** It can be reached again. */
    synchronized void activate(Remote remote) {
        if (!active.contains(remote)) {
            active.add(remote);
        }
    }

    /** Who could not be reached, and has not been since. */
    synchronized List<Remote> inactive() {
        List<Remote> inactive = new ArrayList<>(all);
        inactive.removeAll(active);
        return inactive;
    }

    List<Remote> all() {
        return all;
    }
}
