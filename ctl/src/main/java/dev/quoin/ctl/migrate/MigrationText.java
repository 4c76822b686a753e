package dev.quoin.ctl.migrate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import dev.quoin.base.Columns;
import dev.quoin.base.HumanBytes;
import dev.quoin.ctl.migrate.MemberSeen.Answer;

/** A plan in words, for people; and the commands of its step. */
public final class MigrationText {
    private static final List<String> TITLES = List.of("MEMBER", "ID", "PROGRAM", "VERSION", "ROLE", "BEHIND", "STORE",
            "ENDPOINT");

    private MigrationText() {}

    /** A line for each member. */
    public static String table(Sighting seen) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(TITLES);
        seen.members().forEach(member -> rows.add(row(seen, member)));
        return Columns.of(rows);
    }

    private static List<String> row(Sighting seen, MemberSeen member) {
        Answer answer = member.answer();
        if (answer == null) {
            String where = member.clientUrls().isEmpty() ? "-" : String.join(",", member.clientUrls());
            return List.of(member.label(), member.hexId(), "-", "-", "no answer", "-", "-", where);
        }
        return List.of(member.label(), member.hexId(), answer.kind().word(), answer.version(), role(member),
                String.valueOf(seen.behind(member)), HumanBytes.text(answer.storeBytes()), answer.endpoint());
    }

    /** Its part in the cluster. */
    public static String role(MemberSeen member) {
        if (member.isLearner()) {
            return "learner";
        }
        return member.leads() ? "leader" : "follower";
    }

    /** How far the cluster is. */
    public static String summary(Plan plan) {
        Sighting seen = plan.seen();
        int there = seen.count(plan.target());
        String held = held(seen);
        return there + " of " + seen.members().size() + (there == 1 ? " members is " : " members are ")
                + plan.target().word() + "." + (held.isEmpty() ? "" : " " + held) + "\n";
    }

    /** That all hold the same; empty if that is not known. */
    public static String held(Sighting seen) {
        return seen.hashes() instanceof Hashes.Equal(long revision)
                ? "All hold the same at revision " + revision + "."
                : "";
    }

    /** A line for each finding. */
    public static String findings(List<Finding> findings) {
        StringBuilder lines = new StringBuilder();
        for (Finding finding : findings) {
            lines.append(String.format(Locale.ROOT, "%-4s  ", finding.severity().word().toUpperCase(Locale.ROOT)))
                    .append(finding.text()).append('.');
            if (!finding.remedy().isEmpty()) {
                lines.append(' ').append(finding.remedy());
            }
            lines.append('\n');
        }
        return lines.toString();
    }

    /** What comes next, what to type for it on which host, and what waits for it here. */
    public static String step(Plan plan, HostCommands host) {
        String here = switch (plan.step()) {
            case Step.Replace(MemberSeen member) -> verify(member, plan.target());
            case Step.Finish(List<MemberSeen> down) -> "quoin migrate verify";
            case Step.HandOver(MemberSeen leader, MemberSeen to) -> "";
            case Step.Done() -> "";
        };
        return onHosts(plan, host) + (here.isEmpty() ? "" : "\nThen here, which waits and checks:\n\n  " + here + "\n");
    }

    /** What comes next, and what to type for it on which host, for whoever is waited for already. */
    public static String onHosts(Plan plan, HostCommands host) {
        return switch (plan.step()) {
            case Step.Done() -> "Nothing is left to do: all members are " + plan.target().word() + ".\n";
            case Step.Finish(List<MemberSeen> down) -> finish(plan, down, host);
            case Step.HandOver(MemberSeen leader, MemberSeen to) -> "Next: " + leader.label()
                    + ", which leads. Leadership goes to " + to.label() + " first, by quoin migrate next; then "
                    + leader.label()
                    + " becomes " + plan.target().word() + ".\n";
            case Step.Replace(MemberSeen member) -> replace(plan, member, host);
        };
    }

    private static String replace(Plan plan, MemberSeen member, HostCommands host) {
        String directory = plan.target() == Kind.QUOIN
                ? "Quoin is started with etcd's flags, variables or configuration file, on etcd's data directory.\n"
                : "etcd is started with the same flags, variables or configuration file, on the directory that was "
                        + "exported.\n";
        return "Next: " + member.label() + " becomes " + plan.target().word() + ".\n" + directory
                + on(member, host.replace(member, plan.target()));
    }

    private static String finish(Plan plan, List<MemberSeen> down, HostCommands host) {
        StringBuilder text = new StringBuilder();
        for (MemberSeen member : down) {
            text.append("First: ").append(member.label())
                    .append(" is started, as the one or as the other; its directory tells:\n")
                    .append(on(member, List.of(host.doctor(member))))
                    .append("\nAs ").append(plan.target().word()).append(", if this is its step:\n")
                    .append(eitherOr(host.begin(member, plan.target())))
                    .append("\nOr as ").append(plan.target().other().word()).append(", if it is not, or to give it up")
                    .append(plan.target() == Kind.QUOIN
                            ? "; once Quoin has opened the\ndirectory only what is exported is etcd's again"
                            : "")
                    .append(":\n");
            if (plan.target() == Kind.QUOIN) {
                text.append(eitherOr(host.begin(member, Kind.ETCD)));
            } else {
                text.append(eitherOr(List.of(host.start(member, Kind.QUOIN))));
            }
        }
        return text.toString();
    }

    private static String on(MemberSeen member, List<String> commands) {
        return "\nOn the host of " + member.label() + ", " + member.host() + ":\n" + commands(commands);
    }

    private static String commands(List<String> commands) {
        StringBuilder lines = new StringBuilder().append('\n');
        commands.forEach(command -> lines.append("  ").append(command).append('\n'));
        return lines.toString();
    }

    /** Of two that exclude each other: a shell that is given all lines runs neither, since both on one directory are its end. */
    private static String eitherOr(List<String> commands) {
        return commands(commands.stream().map(command -> "# " + command).toList());
    }

    /** What checks the step of a member. */
    public static String verify(MemberSeen member, Kind target) {
        return "quoin migrate verify " + member.label() + " --to " + target.program();
    }

    /** What is to be typed on a host for this step; nothing if it is none that is typed. */
    public static List<String> commands(Plan plan, HostCommands host) {
        return plan.step() instanceof Step.Replace(MemberSeen member) ? host.replace(member, plan.target()) : List.of();
    }
}
