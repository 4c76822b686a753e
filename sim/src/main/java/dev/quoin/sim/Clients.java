package dev.quoin.sim;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.member.Answer;
import dev.quoin.member.Failure;
import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.LeaseReply;
import dev.quoin.member.Member;
import dev.quoin.member.Proposal;
import dev.quoin.member.ReadAnswer;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.Refusal;
import dev.quoin.store.View;

/**
 * Clients that ask one thing after the other, of one member or of any, and judge every answer. Some of the time all of them
 * sleep. A client that has waited long enough never learns what became of its request.
 */
final class Clients {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;
    private static final int LEASES = 8;
    static final int TTL_MAX_SECONDS = 30;

    private final Simulation simulation;
    private final Dials dials;
    private final List<Client> clients = new ArrayList<>();
    private final Set<Waiting> waiting = new LinkedHashSet<>();
    private boolean asleep;
    /** Nobody wants a lease any more: all are to end. */
    private boolean areLeasesLeft;
    private long values;
    /** The newest revision that somebody was told of: whoever reads after that must see it. */
    private long toldRevision = 1;

    Clients(Simulation simulation, Dials dials) {
        this.simulation = simulation;
        this.dials = dials;
    }

    void begin() {
        for (int i = 0; i < dials.clients(); i++) {
            Client client = new Client(i);
            clients.add(client);
            client.later();
        }
        fallAsleep();
    }

    private void fallAsleep() {
        simulation.time().after(simulation.chance().between(10, 60) * SECOND, () -> {
            asleep = true;
            simulation.time().after(simulation.chance().between(5, 120) * SECOND, this::wake);
        });
    }

    private void wake() {
        asleep = false;
        clients.forEach(Client::later);
        fallAsleep();
    }

    /** Nobody sleeps any more. */
    void stayAwake() {
        asleep = false;
        clients.forEach(Client::later);
    }

    /** A request that has no answer yet, of a life of a member that owes one. */
    private record Waiting(Host host, Life life, Object what, long sinceNanos) {}

    private Waiting await(Host host, Life life, Object what) {
        // Who died owes nothing.
        waiting.removeIf(one -> one.host.life != one.life);
        Waiting one = new Waiting(host, life, what, simulation.time().now());
        waiting.add(one);
        return one;
    }

    private final class Client {
        private final int number;
        /** What it waits for now; what belongs to another is no longer heard. */
        private long turn;
        private boolean isWaiting;
        private boolean isAboutToAsk;

        Client(int number) {
            this.number = number;
        }

        void later() {
            if (isWaiting || isAboutToAsk || asleep) {
                return;
            }
            isAboutToAsk = true;
            simulation.time().after(simulation.chance().around(dials.thinkNanos()), () -> {
                isAboutToAsk = false;
                if (!asleep && !isWaiting) {
                    ask();
                }
            });
        }

        private void ask() {
            List<Host> up = SimNetwork.up(simulation.hosts());
            if (up.isEmpty()) {
                later();
                return;
            }
            Chance chance = simulation.chance();
            Host host = number % 3 != 0 && number < up.size() ? up.get(number) : chance.one(up);
            isWaiting = true;
            long mine = ++turn;
            simulation.time().after(chance.between(500, 12_000) * MILLI, () -> {
                if (isWaiting && turn == mine) {
                    simulation.tally().count("given up");
                    isWaiting = false;
                    later();
                }
            });
            int kind = chance.below(100);
            if (kind < 20) {
                read(host, mine);
            } else if (kind < 28) {
                look(host);
                done(mine);
            } else if (kind < 50 && !areLeasesLeft) {
                renew(chance.oneIn(5) ? host : leader(host), mine);
            } else {
                write(host, mine, request(host));
            }
        }

        private void done(long mine) {
            if (isWaiting && turn == mine) {
                isWaiting = false;
                later();
            }
        }

        // ---- writes

        private void write(Host host, long mine, Asked asked) {
            Life life = host.life;
            if (life == null) {
                return;
            }
            Op op = new Op(asked, "client " + number + " at " + host, simulation.promises().committedIndex());
            Member member = life.member();
            Waiting owed = await(host, life, op);
            Proposal proposal = member.prepare(asked.kind(), asked.encode(), new Answer() {
                @Override
                public void outcome(Outcome outcome) {
                    waiting.remove(owed);
                    answered(op, outcome);
                    done(mine);
                }

                @Override
                public void failed(Failure failure) {
                    waiting.remove(owed);
                    Clients.this.failed(op, failure);
                    done(mine);
                }
            });
            simulation.model().asked(proposal.data(), op);
            simulation.tally().count("writes");
            simulation.inside(host, "client", () -> member.propose(List.of(proposal)));
        }

        // ---- reads

        private void read(Host host, long mine) {
            Life life = host.life;
            if (life == null) {
                return;
            }
            long floor = toldRevision;
            Waiting owed = await(host, life, "a read of client " + number + ", its " + mine + ".");
            simulation.tally().count("reads");
            simulation.inside(host, "client", () -> life.member().read(new ReadAnswer() {
                @Override
                public void ready() {
                    waiting.remove(owed);
                    simulation.time().after(simulation.chance().below(MILLI), () -> {
                        if (host.life == life) {
                            compare(host, life, floor);
                        }
                        done(mine);
                    });
                }

                @Override
                public void failed(Failure failure) {
                    waiting.remove(owed);
                    simulation.tally().count("reads failed");
                    done(mine);
                }
            }));
        }

        // ---- leases

        /** Somebody who thinks that it leads: there may be several. */
        private Host leader(Host otherwise) {
            List<Host> leaders = new ArrayList<>(SimNetwork.up(simulation.hosts()));
            leaders.removeIf(host -> !host.witnessed.leads());
            return leaders.isEmpty() ? otherwise : simulation.chance().one(leaders);
        }

        private void renew(Host host, long mine) {
            Life life = host.life;
            if (life == null) {
                return;
            }
            long lease = lease();
            long asked = simulation.time().now();
            ModelLeases.Granted granted = simulation.model().leases().find(lease);
            Waiting owed = await(host, life, "a renewal of lease " + lease + " by client " + number);
            simulation.inside(host, "client",
                    () -> life.member().lessor().ask(List.of(new LeaseQuestion.Renew(lease, reply -> {
                        waiting.remove(owed);
                        switch (reply) {
                            case LeaseReply.Renewed(long ttlSeconds) -> simulation.leaseJudge().renewed(host, lease,
                                    ttlSeconds, asked, life.member().status().appliedIndex());
                            case LeaseReply.Unknown() -> simulation.leaseJudge().denied(host, granted);
                            case LeaseReply.TimeToLive told -> throw new Violation("nobody asked for " + told);
                            case LeaseReply.NotPrimary _,LeaseReply.NoLeader _,LeaseReply.ApplyingTooLong _,LeaseReply.Failed _ ->
                                simulation.tally().count("renewals failed");
                        }
                        done(mine);
                    }))));
        }

        private void look(Host host) {
            Life life = host.life;
            if (life != null) {
                simulation.tally().count("stale reads");
                compare(host, life, 0);
            }
        }
    }

    private void answered(Op op, Outcome outcome) {
        Violation.check(!op.isAnswered, "%s is answered twice", op);
        op.isAnswered = true;
        Expected expected = op.expected;
        if (expected == null) {
            throw new Violation(op + " is answered and not in the log: " + outcome);
        }
        if (outcome instanceof Outcome.Unreadable) {
            return;
        }
        Expected is = Expected.of(outcome, false);
        Violation.check(is.equals(expected), "%s: answered %s, it must be %s", op, is, expected);
        simulation.tally().count("acknowledged");
        toldRevision = Math.max(toldRevision, simulation.model().revisionAt(op.index));
    }

    private void failed(Op op, Failure failure) {
        Violation.check(!op.isAnswered, "%s is answered twice", op);
        op.isAnswered = true;
        simulation.tally().count("failed");
        switch (failure) {
            case TOO_MANY_REQUESTS, NOT_LEADER, NO_ROOM, DISK_FULL -> {
                Violation.check(op.index == 0, "%s: answered %s, and is in the log", op, failure);
                op.isRefused = true;
            }
            case TIMEOUT, CONNECTION_LOST, LEADER_LOST, STOPPED -> {}
        }
    }

    /** A range of keys at a member, compared with what it was at that revision; of all that was told, if asked for. */
    private void compare(Host host, Life life, long floor) {
        View view = life.member().view();
        Violation.check(view.revision() >= floor, "%s: a read sees revision %d, somebody was told of %d before", host,
                view.revision(), floor);
        Chance chance = simulation.chance();
        String from = key();
        String end = chance.oneIn(3) ? "" : chance.oneIn(3) ? "\0" : from + "~";
        long revision = view.revision();
        if (chance.oneIn(4)) {
            revision = Math.max(1, revision - chance.below(30));
        }
        Query query = Query.of(new KeyRange(Bytes.utf8(from), Bytes.utf8(end)))
                .withRevision(revision == view.revision() ? 0 : revision);
        Outcome outcome;
        try {
            outcome = view.range(query);
        } catch (Damaged damaged) {
            simulation.excuse(host, damaged);
            return;
        }
        if (revision < view.compactedRevision()) {
            Violation.check(outcome.equals(new Outcome.Refused(Refusal.COMPACTED)), "%s: %s at %d, compacted to %d",
                    host, outcome, revision, view.compactedRevision());
            return;
        }
        Expected expected = new Expected.Ranged(simulation.model().rangeAt(revision, from, end));
        Expected is = Expected.of(outcome, false);
        Violation.check(is.equals(expected), "%s: %s at revision %d of %d is %s, it must be %s", host, query, revision,
                view.revision(), is, expected);
        if (floor > 0) {
            toldRevision = Math.max(toldRevision, view.revision());
        }
    }

    // ---- what is asked

    private String key() {
        return "k" + simulation.chance().below(dials.keys());
    }

    private String value() {
        Chance chance = simulation.chance();
        int length = chance.oneIn(20) ? chance.below(2_000) : chance.below(60);
        return "v" + values++ + "-" + "x".repeat(length);
    }

    private Asked request(Host host) {
        Chance chance = simulation.chance();
        int kind = chance.below(100);
        if (kind < 45) {
            return new Asked.Put(key(), value(), chance.oneIn(3), chance.oneIn(3) ? lease() : 0);
        }
        if (kind < 60) {
            return delete();
        }
        if (kind < 84) {
            return txn();
        }
        if (kind < 94 && !areLeasesLeft) {
            return chance.oneIn(8) ? new Asked.Revoke(lease())
                    : new Asked.Grant(lease(), chance.between(1, TTL_MAX_SECONDS));
        }
        Life life = host.life;
        long newest = life == null ? 1 : life.member().view().revision();
        return new Asked.Compact(Math.max(1, newest + 3 - chance.below(20)));
    }

    private Asked.Delete delete() {
        Chance chance = simulation.chance();
        String from = key();
        return new Asked.Delete(from, chance.oneIn(3) ? from + "~" : "", chance.oneIn(3));
    }

    private Asked.Txn txn() {
        Chance chance = simulation.chance();
        List<Asked.Condition> conditions = new ArrayList<>();
        for (int i = chance.below(3); i > 0; i--) {
            conditions.add(condition());
        }
        return new Asked.Txn(conditions, steps(), steps());
    }

    private Asked.Condition condition() {
        Chance chance = simulation.chance();
        String key = key();
        Asked.Target target = chance.one(List.of(Asked.Target.values()));
        Asked.Relation relation = chance.one(List.of(Asked.Relation.values()));
        List<Kv> now = simulation.model().rangeAt(Long.MAX_VALUE, key, "");
        Kv kv = now.isEmpty() || chance.oneIn(3) ? null : now.getFirst();
        long than = kv == null ? chance.below(3) : switch (target) {
            case VERSION -> kv.version();
            case CREATE -> kv.created();
            case MOD -> kv.modified();
            case VALUE -> 0;
        };
        return new Asked.Condition(key, target, relation, than, kv == null ? "v" : kv.value());
    }

    /** No key is written twice. */
    private List<Asked> steps() {
        Chance chance = simulation.chance();
        List<Asked> steps = new ArrayList<>();
        int first = chance.below(dials.keys());
        for (int i = 0; i < chance.below(4); i++) {
            String key = "k" + (first + i) % dials.keys();
            switch (chance.below(4)) {
                case 0, 1 -> steps.add(i < dials.keys() ? new Asked.Put(key, value(), chance.oneIn(4), 0) : range());
                case 2 -> steps.add(i < dials.keys() ? new Asked.Delete(key, "", chance.oneIn(4)) : range());
                default -> steps.add(range());
            }
        }
        return steps;
    }

    private Asked.Range range() {
        String from = key();
        return new Asked.Range(from, simulation.chance().nextBoolean() ? "" : from + "~");
    }

    private long lease() {
        return simulation.chance().between(1, LEASES);
    }

    /** Nobody asks for a lease any more, or renews one. */
    void leaveLeases() {
        areLeasesLeft = true;
    }

    /** What these members were asked long enough ago they have answered, for better or worse. */
    void checkAnswered(List<Host> core) {
        long patience = dials.limits().requestTimeoutNanos() * 5 / 4 + 2 * SECOND;
        for (Waiting one : waiting) {
            boolean isLate = simulation.time().now() - one.sinceNanos >= patience;
            Violation.check(!isLate || one.host.life != one.life || !core.contains(one.host),
                    "%s: %s waits for an answer since %.3f s", one.host, one.what, one.sinceNanos / 1e9);
        }
    }

    /** A put that is told to the caller, for the end of a run. */
    void putAt(Host host, Runnable acknowledgedNow) {
        Life life = host.life;
        if (life == null) {
            return;
        }
        Asked asked = new Asked.Put("last", value(), false, 0);
        Op op = new Op(asked, "the judge at " + host, simulation.promises().committedIndex());
        Proposal proposal = life.member().prepare(asked.kind(), asked.encode(), new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                answered(op, outcome);
                acknowledgedNow.run();
            }

            @Override
            public void failed(Failure failure) {
                Clients.this.failed(op, failure);
            }
        });
        simulation.model().asked(proposal.data(), op);
        simulation.inside(host, "client", () -> life.member().propose(List.of(proposal)));
    }
}
