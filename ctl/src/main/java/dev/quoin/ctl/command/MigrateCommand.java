package dev.quoin.ctl.command;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

import dev.quoin.api.etcdserverpb.MoveLeaderRequest;
import dev.quoin.api.etcdserverpb.MoveLeaderResponse;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.migrate.Arrival;
import dev.quoin.ctl.migrate.Finding;
import dev.quoin.ctl.migrate.HostCommands;
import dev.quoin.ctl.migrate.Kind;
import dev.quoin.ctl.migrate.MemberSeen;
import dev.quoin.ctl.migrate.MigrationText;
import dev.quoin.ctl.migrate.Plan;
import dev.quoin.ctl.migrate.Sighting;
import dev.quoin.ctl.migrate.Step;
import dev.quoin.ctl.print.PlanJson;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;

/**
 * quoin migrate: walks a live cluster from etcd to Quoin, or back, one member after the other. It decides, moves leadership and checks;
 * members are stopped and started by whoever is at their hosts.
 */
final class MigrateCommand {
    /** Something is wrong after a step, and time does not mend it. */
    private static final int EXIT_WRONG = 6;
    private static final long LOOK_MILLIS = 1_000;
    private static final long HAND_OVER_SECONDS = 30;

    private static final String TO = "to";
    private static final String STOP = "stop";
    private static final String START = "start";
    private static final String EXPORT = "export";
    private static final String DATA_DIR = "data-dir";
    private static final String YES = "yes";
    private static final String SNAPSHOT = "snapshot";
    private static final String TIMEOUT = "timeout";

    private final Commands commands;

    MigrateCommand(Commands commands) {
        this.commands = commands;
    }

    Command migrate() {
        return new Command("migrate <subcommand>",
                "Makes a live cluster of etcd one of Quoin, or back, member by member")
                .described("""
                        Walks a live cluster from etcd to Quoin, or back with --to etcd. One member after the other is
                        stopped, and started on its data directory as the other program; the leader is the last.

                        It is run wherever etcdctl could be, with etcdctl's flags about connections. It starts nothing
                        on other hosts: it says what to type there. Before each step all members have to be up, healthy,
                        caught up and the same by HashKV; after it, too. Nothing is stored: it can be left at any
                        moment, gone on with from elsewhere, and turned round.

                        Exit codes: 0 done; 1 no step is taken, the reason is told, or a member is to be started first;
                        2 no member is reached; 5 waited in vain, or interrupted; 6 wrong after a step.
                        """)
                .withExamples("  quoin migrate status\n"
                        + "  quoin migrate run --snapshot before.db --start 'ssh {host} systemctl start {program}'")
                .handingDown(Flag.string(TO, "quoin", "what all members are to be: quoin or etcd").offering("quoin",
                        "etcd"),
                        Flag.string(STOP, "systemctl stop {program}",
                                "what stops a member, with {program}, {name}, {id}, {host} and {data-dir} in it"),
                        Flag.string(START, "systemctl start {program}", "what starts one"),
                        Flag.string(EXPORT, "quoin export {data-dir}", "what makes Quoin's directory one of etcd's"),
                        Flag.string(DATA_DIR, "/var/lib/etcd/default", "where members have their data"))
                .of(new Command("status", "Shows who is what, what stands in the way, and the next step")
                        .doing(commands.action(MigrateCommand::status)),
                        new Command("next",
                                "Checks, moves leadership if need be, and says what to type for the next step")
                                .taking(yes(), snapshot()).doing(commands.action(MigrateCommand::next)),
                        new Command("verify [member]", "Waits until a member has made its step, and checks")
                                .described("""
                                        Waits until this member, or without one every member, is there, caught up and
                                        the same as the others; a member that is named must be the other program.
                                        """)
                                .taking(timeout()).doing(commands.action(MigrateCommand::verify)),
                        new Command("run", "Goes from step to step: says what to type, waits, and checks")
                                .taking(yes(), snapshot(), timeout()).doing(commands.action(MigrateCommand::run)));
    }

    private static Flag yes() {
        return Flag.bool(YES, "agree to what is asked otherwise");
    }

    private static Flag snapshot() {
        return Flag.string(SNAPSHOT, "", "take a snapshot into this file first");
    }

    private static Flag timeout() {
        return Flag.of(TIMEOUT, Flag.Kind.DURATION, "30m", "how long to wait for a member");
    }

    // ---- what is asked for

    private static Kind target(Context context) {
        return switch (context.flags().text(TO)) {
            case "quoin" -> Kind.QUOIN;
            case "etcd" -> Kind.ETCD;
            default -> throw Failure.badArguments("--to is quoin or etcd");
        };
    }

    private static HostCommands host(Context context) {
        return new HostCommands(context.flags().text(STOP), context.flags().text(START), context.flags().text(EXPORT),
                context.flags().text(DATA_DIR));
    }

    /** Reads the global flags; what is printed is text or JSON. */
    private static void configure(Context context, boolean hasJson) {
        context.configure();
        String format = context.flags().text(GlobalFlags.WRITE_OUT);
        if (!format.equals("simple") && !(hasJson && format.equals("json"))) {
            throw Failure.badFeature(format + " not supported as output format");
        }
        context.keepQuiet();
    }

    private static boolean isJson(Context context) {
        return context.flags().text(GlobalFlags.WRITE_OUT).equals("json");
    }

    // ---- status

    private static void status(Context context) {
        context.expectArguments(0, "migrate status takes no arguments");
        Kind target = target(context);
        configure(context, true);
        Plan plan = Plan.of(new Scout(context).look(true), target, false);
        if (isJson(context)) {
            context.print(PlanJson.of(plan, host(context)));
        } else {
            tell(context, plan);
            if (plan.isSafe()) {
                say(context, "\n" + MigrationText.step(plan, host(context)));
            }
        }
        refuseUnlessSafe(context, plan);
        if (plan.findings().stream().anyMatch(Finding::stops)) {
            throw Failure.silent(Failure.ERROR);
        }
    }

    private static void tell(Context context, Plan plan) {
        say(context, MigrationText.table(plan.seen()) + "\n" + MigrationText.summary(plan)
                + MigrationText.findings(plan.findings()));
    }

    private static void say(Context context, String text) {
        context.print(text);
        context.streams().out().flush();
    }

    private static void refuseUnlessSafe(Context context, Plan plan) {
        if (plan.isSafe()) {
            return;
        }
        if (isJson(context)) {
            throw Failure.silent(Failure.ERROR);
        }
        throw Failure.of("no step is taken: " + plan.findings().stream().filter(Finding::stops).findFirst()
                .map(Finding::text).orElse(""));
    }

    // ---- next

    private static void next(Context context) {
        context.expectArguments(0, "migrate next takes no arguments");
        Kind target = target(context);
        configure(context, true);
        Plan plan = prepared(context, new Scout(context), target, context.flags().text(SNAPSHOT));
        if (isJson(context)) {
            context.print(PlanJson.of(plan, host(context)));
        } else {
            say(context, "\n" + MigrationText.step(plan, host(context)));
        }
        // What a member that is down is to be started as only its operators know: no script may go on by itself.
        if (plan.step() instanceof Step.Finish) {
            throw Failure.silent(Failure.ERROR);
        }
    }

    /**
     * Looks, asks for agreement where that is needed, sees to it that the member of the step does not lead, and looks again.
     *
     * @return a plan that is safe now, is the one that was agreed to, and does not hand over leadership any more
     */
    private static Plan prepared(Context context, Scout scout, Kind target, String snapshot) {
        Plan plan = Plan.of(scout.look(true), target, !snapshot.isEmpty());
        if (!isJson(context)) {
            tell(context, plan);
        }
        refuse(context, plan);
        agree(context, plan);
        if (plan.isDone()) {
            return plan;
        }
        if (!snapshot.isEmpty()) {
            backUp(context, plan.seen(), snapshot);
        }
        if (plan.step() instanceof Step.HandOver(MemberSeen leader, MemberSeen to)) {
            handOver(context, scout, leader, to);
        }
        return asAgreed(context, scout, plan, !snapshot.isEmpty());
    }

    /** Hours may have passed over the question and a backup, minutes over the hashes: what is told to be stopped is looked at now. */
    private static Plan asAgreed(Context context, Scout scout, Plan agreed, boolean isBackedUp) {
        boolean isHandedOver = agreed.step() instanceof Step.HandOver;
        Sighting seen = scout.look(isHandedOver);
        Plan now = Plan.of(isHandedOver ? seen : seen.with(agreed.seen().hashes()), agreed.target(),
                isBackedUp);
        refuse(context, now);
        if (isHandedOver && now.step() instanceof Step.HandOver(MemberSeen leader, MemberSeen to)) {
            throw Failure.of("leadership came back to " + leader.label() + " at once. Nothing was stopped: look again");
        }
        if (!now.isAsAgreed(agreed)) {
            throw Failure.of("the cluster has changed meanwhile. Nothing was stopped: look again");
        }
        return now;
    }

    /** Nothing comes of a plan that is not safe; for programs it is printed. */
    private static void refuse(Context context, Plan plan) {
        if (!plan.isSafe() && isJson(context)) {
            context.print(PlanJson.of(plan, host(context)));
        }
        refuseUnlessSafe(context, plan);
    }

    private static void agree(Context context, Plan plan) {
        if (!plan.asks() || context.flags().isOn(YES)) {
            return;
        }
        if (plan.step() instanceof Step.HandOver && !isJson(context)) {
            say(context, "\n" + MigrationText.step(plan, host(context)));
        }
        if (!isJson(context)) {
            say(context, "\nGo on? [y/N] ");
            String answer = new Lines(context.streams().in()).rest().strip();
            if (answer.equals("y") || answer.equals("yes")) {
                return;
            }
        } else {
            context.print(PlanJson.of(plan, host(context)));
        }
        throw Failure.of("not agreed to, nothing was done; --yes agrees");
    }

    /** Of a follower, if there is one: the leader has enough to do. */
    private static void backUp(Context context, Sighting seen, String file) {
        if (Files.exists(Path.of(file))) {
            throw Failure
                    .of(file + " is there already: name another file, or, if it is the backup of this migration, leave "
                            + "--snapshot out");
        }
        MemberSeen.Answer from = seen.members().stream().filter(member -> !member.isDown() && !member.isLearner())
                .min(Comparator.comparing(MemberSeen::leads)).map(MemberSeen::answer).orElse(null);
        if (from == null) {
            throw Failure.of("no member answers");
        }
        SnapshotCommand.save(context, context.client(from.endpoint()), from.endpoint(), file);
        if (!isJson(context)) {
            say(context, "Snapshot saved at " + file + "\n");
        }
    }

    private static void handOver(Context context, Scout scout, MemberSeen leader, MemberSeen to) {
        MemberSeen.Answer answer = leader.answer();
        String endpoint = answer == null ? "" : answer.endpoint();
        try {
            context.client(endpoint).call(Method.MOVE_LEADER,
                    MoveLeaderRequest.newBuilder().setTargetID(to.id()).build(), MoveLeaderResponse.parser(),
                    Deadline.in(TimeUnit.SECONDS.toNanos(HAND_OVER_SECONDS)));
        } catch (RpcException why) {
            throw Failure.of(leader.label() + " did not hand over to " + to.label() + ": " + Errors.words(why)
                    + ". Nothing was stopped");
        }
        Deadline deadline = Deadline.in(TimeUnit.SECONDS.toNanos(HAND_OVER_SECONDS));
        while (true) {
            Sighting seen = scout.look(false);
            MemberSeen now = seen.leader();
            // Right after an election members may still refuse reads.
            if (now != null && now.id() != leader.id() && (isWell(seen) || deadline.isOver())) {
                if (!isJson(context)) {
                    say(context, "Leadership has gone from " + leader.label() + " to " + now.label() + ".\n");
                }
                return;
            }
            if (deadline.isOver()) {
                throw Failure.of("the members do not agree on a leader. Nothing was stopped: look again");
            }
            Scout.sleep(LOOK_MILLIS);
        }
    }

    private static boolean isWell(Sighting seen) {
        return !(Arrival.ofAll(seen) instanceof Arrival.Awaited);
    }

    // ---- verify

    private static void verify(Context context) {
        if (context.arguments().size() > 1) {
            throw Failure.badArguments("migrate verify takes one member, or none");
        }
        Kind target = target(context);
        configure(context, false);
        Scout scout = new Scout(context);
        Deadline deadline = Deadline.in(context.flags().number(TIMEOUT));
        Sighting first = firstLook(context, scout, deadline);
        long member = context.arguments().isEmpty() ? 0 : named(first, context.argument(0)).id();
        await(context, scout, member, target, deadline);
    }

    /** A cluster of one is gone while its member makes its step; so is one that has just been started. */
    private static Sighting firstLook(Context context, Scout scout, Deadline deadline) {
        boolean isTold = false;
        while (true) {
            try {
                return scout.look(false);
            } catch (Failure why) {
                if (why.exitCode() != Failure.BAD_CONNECTION || deadline.isOver()) {
                    throw why;
                }
                if (!isTold) {
                    say(context, "waiting: " + why.getMessage() + "\n");
                    isTold = true;
                }
                Scout.sleep(LOOK_MILLIS);
            }
        }
    }

    private static MemberSeen named(Sighting seen, String word) {
        List<MemberSeen> named = seen.named(word);
        if (named.size() != 1) {
            throw Failure.badArguments(named.isEmpty() ? "there is no member " + word
                    : "there are several members of the name " + word + ": say its id");
        }
        return named.get(0);
    }

    /**
     * Waits until a member has made its step, telling what is still missing whenever that changes.
     *
     * @param member 0 for all, whatever they are
     */
    private static void await(Context context, Scout scout, long member, Kind target, Deadline deadline) {
        String told = "";
        boolean compares = false;
        while (true) {
            Sighting seen = scout.look(compares);
            switch (member == 0 ? Arrival.ofAll(seen) : Arrival.of(seen, member, target)) {
                case Arrival.Arrived() -> {
                    say(context, arrived(seen, member, target));
                    return;
                }
                case Arrival.ToCompare() -> compares = true;
                case Arrival.Wrong(Finding why) -> throw new Failure(EXIT_WRONG, why.text()
                        + (why.remedy().isEmpty() ? "" : ". " + why.remedy()));
                case Arrival.Awaited(String what) -> {
                    compares = false;
                    if (!what.equals(told)) {
                        say(context, "waiting: " + what + "\n");
                        told = what;
                    }
                    if (deadline.isOver()) {
                        throw new Failure(Failure.INTERRUPTED,
                                "waited " + context.flags().shown(TIMEOUT) + " in vain: " + what
                                        + ". \"quoin migrate status\" says how to go on");
                    }
                    Scout.sleep(LOOK_MILLIS);
                }
            }
        }
    }

    private static String arrived(Sighting seen, long member, Kind target) {
        MemberSeen moved = seen.member(member);
        String who = moved == null ? "All members are"
                : moved.label() + " is " + target.word() + " now, the same member,";
        return who + " healthy and caught up. " + MigrationText.held(seen) + "\n";
    }

    // ---- run

    private static void run(Context context) {
        context.expectArguments(0, "migrate run takes no arguments");
        Kind target = target(context);
        configure(context, false);
        Scout scout = new Scout(context);
        String snapshot = context.flags().text(SNAPSHOT);
        while (true) {
            Plan plan = prepared(context, scout, target, snapshot);
            say(context, "\n" + MigrationText.onHosts(plan, host(context)) + "\n");
            Deadline deadline = Deadline.in(context.flags().number(TIMEOUT));
            switch (plan.step()) {
                case Step.Done() -> {
                    return;
                }
                case Step.Finish(List<MemberSeen> down) -> await(context, scout, 0, target, deadline);
                case Step.Replace(MemberSeen member) -> await(context, scout, member.id(), target, deadline);
                case Step.HandOver(MemberSeen leader, MemberSeen to) -> throw new IllegalStateException(
                        leader.label() + " leads still");
            }
            // One backup is enough, the one from before all steps.
            snapshot = "";
        }
    }
}
