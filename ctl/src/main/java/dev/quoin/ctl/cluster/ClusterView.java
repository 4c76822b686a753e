package dev.quoin.ctl.cluster;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

import dev.quoin.base.Columns;
import dev.quoin.base.HumanBytes;

/**
 * How the members are, for whoever looks: on a terminal a table that is drawn anew in its place; elsewhere a line whenever a member has
 * another part to play than before. One thread's.
 */
final class ClusterView {
    private static final List<String> TITLES = List.of("MEMBER", "ENDPOINT", "PID", "ROLE", "TERM", "REVISION",
            "DB SIZE",
            "RSS");
    /** Up one line, and to its beginning; clear what is to the right and below. */
    private static final String LINE_UP = "\u001b[F";
    private static final String CLEAR = "\u001b[J";

    private final PrintStream out;
    private final boolean isTable;
    private List<MemberState> shown = List.of();
    private int drawnLines;

    ClusterView(PrintStream out, boolean isTable) {
        this.out = out;
        this.isTable = isTable;
    }

    void show(List<MemberState> states) {
        if (isTable) {
            String table = table(states);
            out.print(LINE_UP.repeat(drawnLines) + CLEAR + table);
            drawnLines = (int) table.lines().count();
        } else {
            states.stream().filter(this::hasChanged).map(ClusterView::sentence).forEach(out::print);
        }
        shown = List.copyOf(states);
        out.flush();
    }

    /** Somebody has typed a line: the table stands that much higher. */
    void noteLineTyped() {
        if (isTable) {
            drawnLines++;
        }
    }

    private boolean hasChanged(MemberState state) {
        return shown.stream().noneMatch(before -> before.number() == state.number() && before.role() == state.role()
                && before.pid() == state.pid());
    }

    static String sentence(MemberState state) {
        String who = state.name() + " (" + state.endpoint() + ", pid " + state.pid() + ") ";
        return who + switch (state.role()) {
            case LEADER -> "leads in term " + state.term();
            case FOLLOWER -> "follows in term " + state.term();
            case LEADERLESS -> "knows no leader";
            case SILENT -> "does not answer";
            case ENDED -> "has ended with exit code " + state.exitCode();
        } + "\n";
    }

    static String table(List<MemberState> states) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(TITLES);
        states.forEach(state -> rows.add(row(state)));
        StringBuilder table = new StringBuilder(Columns.of(rows));
        states.stream().filter(state -> state.role() == MemberState.Role.ENDED)
                .forEach(state -> table.append(state.name()).append(" has ended with exit code ")
                        .append(state.exitCode()).append(": type ").append(state.number())
                        .append(" and Enter to start it again\n"));
        return table.toString();
    }

    private static List<String> row(MemberState state) {
        boolean answers = state.isReady() || state.role() == MemberState.Role.LEADERLESS;
        return List.of(state.name(), state.endpoint(),
                state.role() == MemberState.Role.ENDED ? "-" : String.valueOf(state.pid()), state.role().text(),
                answers ? String.valueOf(state.term()) : "-", answers ? String.valueOf(state.revision()) : "-",
                answers ? HumanBytes.text(state.dbSizeBytes()) : "-",
                state.residentBytes() == 0 ? "-" : HumanBytes.text(state.residentBytes()));
    }
}
