package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import dev.quoin.base.Bytes;

/** Performs the commands of a transcript on a group of nodes, and answers as the reference's harness does. */
final class TranscriptCluster {
    private final List<TranscriptNode> nodes = new ArrayList<>();
    private List<TranscriptNode.Wire> underWay = new ArrayList<>();
    private StringBuilder output = new StringBuilder();
    private LogLine.Level level = LogLine.Level.DEBUG;
    private boolean quiet;

    String perform(Transcript.Command command) {
        output = new StringBuilder();
        String error = handle(command);
        if (!error.isEmpty()) {
            if (quiet) {
                return error;
            }
            print(error);
        }
        return output.isEmpty() ? "ok" : output.toString();
    }

    private String handle(Transcript.Command command) {
        switch (command.name()) {
            case "add-nodes" -> addNodes(command);
            case "campaign" -> node(command).step(new Input.Campaign());
            case "compact" -> {
                node(command).compact(command.numbers().get(1));
                raftLog(node(command));
            }
            case "deliver-msgs" -> deliver(command);
            case "process-ready" -> each(command, "handling Ready", this::processReady);
            case "process-append-thread" -> each(command, "processing append thread", this::processAppend);
            case "process-apply-thread" -> each(command, "processing apply thread", this::processApply);
            case "log-level" -> setLevel(command.args().getFirst().key());
            case "raft-log" -> raftLog(node(command));
            case "raft-state" -> nodes.forEach(this::raftState);
            case "set-randomized-election-timeout" ->
                node(command).core().setElectionTimeout(Integer.parseInt(command.value("timeout", "")));
            case "stabilize" -> stabilize(command);
            case "status" -> {
                for (PeerProgress progress : node(command).core().progress()) {
                    print(progress.peer() + ": " + progress + "\n");
                }
            }
            case "tick-election" -> tick(node(command), node(command).rules.electionTicks());
            case "tick-heartbeat" -> tick(node(command), node(command).rules.heartbeatTicks());
            case "transfer-leadership" -> node(Long.parseLong(command.value("from", "")))
                    .step(new Input.TransferLeadership(Long.parseLong(command.value("to", ""))));
            case "forget-leader" -> node(command).step(new Input.ForgetLeader());
            case "send-snapshot" -> sendSnapshot(command.numbers().get(0), command.numbers().get(1));
            case "propose" -> {
                return propose(node(command), EntryKind.NORMAL, Bytes.utf8(command.args().get(1).key()));
            }
            case "propose-conf-change" -> {
                return proposeConfChange(command);
            }
            case "report-unreachable" -> node(command).step(new Input.Unreachable(command.numbers().get(1)));
            default -> throw new IllegalArgumentException("unknown command " + command.name());
        }
        return "";
    }

    private interface OnNode {
        void act(TranscriptNode node);
    }

    private void each(Transcript.Command command, String what, OnNode action) {
        List<Integer> ids = command.numbers();
        for (int id : ids) {
            if (ids.size() > 1) {
                print("> " + id + " " + what + "\n");
                indented(() -> action.act(node(id)));
            } else {
                action.act(node(id));
            }
        }
    }

    private TranscriptNode node(Transcript.Command command) {
        return node(Long.parseLong(command.args().getFirst().key()));
    }

    TranscriptNode node(long id) {
        return nodes.get((int) id - 1);
    }

    private void setLevel(String name) {
        quiet = name.equals("none");
        if (!quiet) {
            level = LogLine.Level.valueOf(name.toUpperCase(Locale.ROOT));
        }
    }

    // Output

    private void print(String text) {
        if (!quiet) {
            output.append(text);
        }
    }

    private void log(LogLine line) {
        if (level.compareTo(line.level()) <= 0) {
            print(line.level() + " " + line.text() + "\n");
        }
    }

    private void indented(Runnable action) {
        StringBuilder outer = output;
        output = new StringBuilder();
        action.run();
        output.toString().lines().forEach(line -> outer.append("  ").append(line).append('\n'));
        output = outer;
    }

    // Commands

    private void addNodes(Transcript.Command command) {
        int count = command.numbers().getFirst();
        ConfState members = new ConfState(ids(command, "voters"), ids(command, "learners"));
        long index = Long.parseLong(command.value("index", "0"));
        SnapshotMeta start = new SnapshotMeta(index, index == 0 ? 0 : 1, members);
        Rules rules = new Rules(3, 1, flag(command, "prevote"), flag(command, "checkquorum"),
                command.value("read-only", "safe").equals("lease-based"), flag(command, "step-down-on-removal"), true,
                !flag(command, "disable-conf-change-validation"));
        long all = Long.MAX_VALUE;
        RaftLimits limits = new RaftLimits(number(command, "max-size-per-msg"),
                (int) Math.min(Integer.MAX_VALUE, number(command, "inflight")), number(command, "max-inflight-bytes"),
                number(command, "max-committed-size-per-ready"), number(command, "max-uncommitted-size"),
                Integer.MAX_VALUE, all, all, all);
        for (int i = 0; i < count; i++) {
            nodes.add(new TranscriptNode(nodes.size() + 1, rules, limits, flag(command, "async-storage-writes"), start,
                    this::log));
        }
    }

    private static List<Long> ids(Transcript.Command command, String key) {
        return command.arg(key).map(arg -> arg.values().stream().map(Long::valueOf).toList()).orElse(List.of());
    }

    private static long number(Transcript.Command command, String key) {
        return Long.parseLong(command.value(key, String.valueOf(Long.MAX_VALUE)));
    }

    private static boolean flag(Transcript.Command command, String key) {
        return command.value(key, "false").equals("true");
    }

    private static void tick(TranscriptNode node, int times) {
        for (int i = 0; i < times; i++) {
            node.step(new Input.Tick());
        }
    }

    private static String propose(TranscriptNode node, EntryKind kind, Bytes data) {
        boolean dropped = node.step(new Input.Proposed(List.of(new Input.Proposal(kind, data))));
        return dropped ? "raft proposal dropped" : "";
    }

    private String proposeConfChange(Transcript.Command command) {
        ConfChange.Transition transition = switch (command.value("transition", "auto")) {
            case "auto" -> ConfChange.Transition.AUTO;
            case "implicit" -> ConfChange.Transition.JOINT_IMPLICIT;
            case "explicit" -> ConfChange.Transition.JOINT_EXPLICIT;
            default -> throw new IllegalArgumentException("transition of line " + command.line());
        };
        ConfChange change = new ConfChange(transition, ConfChangeTranscript.changes(command.input()), Bytes.EMPTY);
        return command.value("v1", "false").equals("true")
                ? propose(node(command), EntryKind.CONF_CHANGE, change.encodeSingle())
                : propose(node(command), EntryKind.CONF_CHANGE_V2, change.encodeV2());
    }

    private void sendSnapshot(long from, long to) {
        TranscriptNode sender = node(from);
        Message message = new Message.InstallSnapshot(from, to, sender.core().term(), sender.history.getLast());
        underWay.add(new TranscriptNode.Wire.Net(message));
        print(GoWords.message(message));
    }

    private void raftLog(TranscriptNode node) {
        if (node.stored().isEmpty()) {
            print("log is empty: first index=" + (node.storedBase() + 1) + ", last index=" + node.storedBase());
        }
        node.stored().forEach(entry -> print(GoWords.entry(entry) + "\n"));
    }

    private void raftState(TranscriptNode node) {
        RaftCore core = node.core();
        print(node.id + ": " + LogLine.role(core.role())
                + (core.configuration().isVoter(node.id) ? " (Voter)" : " (Non-Voter)") + " Term:" + core.term()
                + " Lead:" + core.leader() + "\n");
    }

    private void stabilize(Transcript.Command command) {
        LogLine.Level levelBefore = level;
        boolean quietBefore = quiet;
        command.arg("log-level").ifPresent(arg -> setLevel(arg.values().getFirst()));
        List<TranscriptNode> chosen = command.numbers().isEmpty() ? nodes
                : command.numbers().stream().map(id -> node(id)).toList();
        while (stabilizeOnce(chosen)) {
            // Until nobody has anything to do.
        }
        level = levelBefore;
        quiet = quietBefore;
    }

    private boolean stabilizeOnce(List<TranscriptNode> chosen) {
        boolean busy = false;
        for (TranscriptNode node : chosen) {
            if (node.hasReady()) {
                print("> " + node.id + " handling Ready\n");
                indented(() -> processReady(node));
                busy = true;
            }
        }
        for (TranscriptNode node : chosen) {
            if (underWay.stream().anyMatch(wire -> wire.to() == node.id)) {
                print("> " + node.id + " receiving messages\n");
                indented(() -> deliverTo(node.id, "", false));
                busy = true;
            }
        }
        for (TranscriptNode node : chosen) {
            if (!node.appendWork.isEmpty()) {
                print("> " + node.id + " processing append thread\n");
                while (!node.appendWork.isEmpty()) {
                    indented(() -> processAppend(node));
                }
                busy = true;
            }
        }
        for (TranscriptNode node : chosen) {
            if (!node.applyWork.isEmpty()) {
                print("> " + node.id + " processing apply thread\n");
                while (!node.applyWork.isEmpty()) {
                    indented(() -> processApply(node));
                }
                busy = true;
            }
        }
        return busy;
    }

    // Messages

    private void deliver(Transcript.Command command) {
        String type = command.value("type", "");
        int handled = 0;
        for (Transcript.Arg arg : command.args()) {
            if (arg.values().isEmpty()) {
                handled += deliverTo(Long.parseLong(arg.key()), type, false);
            } else if (arg.key().equals("drop")) {
                for (String id : arg.values()) {
                    handled += deliverTo(Long.parseLong(id), type, true);
                }
            }
        }
        if (handled == 0) {
            print("no messages\n");
        }
    }

    private int deliverTo(long id, String type, boolean drop) {
        List<TranscriptNode.Wire> chosen = new ArrayList<>();
        List<TranscriptNode.Wire> others = new ArrayList<>();
        for (TranscriptNode.Wire wire : underWay) {
            boolean local = !(wire instanceof TranscriptNode.Wire.Net net)
                    || net.message().from() == net.message().to();
            boolean fits = wire.to() == id && !(drop && local) && (type.isEmpty() || typeOf(wire).equals(type));
            (fits ? chosen : others).add(wire);
        }
        underWay = others;
        for (TranscriptNode.Wire wire : chosen) {
            print((drop ? "dropped: " : "") + describe(wire) + "\n");
            if (!drop) {
                String error = node(id).deliver(wire);
                print(error.isEmpty() ? "" : error + "\n");
            }
        }
        return chosen.size();
    }

    private static String typeOf(TranscriptNode.Wire wire) {
        return switch (wire) {
            case TranscriptNode.Wire.Net(Message message) -> LogLine.type(message);
            case TranscriptNode.Wire.Appended appended -> "MsgStorageAppendResp";
            case TranscriptNode.Wire.Applied applied -> "MsgStorageApplyResp";
        };
    }

    private static String describe(TranscriptNode.Wire wire) {
        return switch (wire) {
            case TranscriptNode.Wire.Net(Message message) -> GoWords.message(message);
            case TranscriptNode.Wire.Appended a ->
                "AppendThread->" + GoWords.hex(a.to()) + " MsgStorageAppendResp Term:" + a.term() + " Log:"
                        + a.logTerm() + "/" + a.index()
                        + (a.snapshot() == null ? "" : "\n  Snapshot: " + GoWords.snapshot(a.snapshot()));
            case TranscriptNode.Wire.Applied(long to, List<Entry> entries) ->
                "ApplyThread->" + GoWords.hex(to) + " MsgStorageApplyResp Term:0 Log:0/0"
                        + GoWords.entries(entries, "");
        };
    }

    // Ready

    private void processReady(TranscriptNode node) {
        TranscriptNode.Ready ready = node.ready();
        print(describe(node, ready));
        if (node.async) {
            if (ready.appendWork() != null) {
                node.appendWork.add(ready.appendWork());
            }
            if (!ready.committed().isEmpty()) {
                node.applyWork.add(ready.committed());
            }
        } else {
            node.store(ready.entries(), ready.snapshot());
            node.apply(ready.committed());
        }
        ready.messages().forEach(message -> underWay.add(new TranscriptNode.Wire.Net(message)));
        if (!node.async) {
            advance(node, ready);
        }
    }

    private void advance(TranscriptNode node, TranscriptNode.Ready ready) {
        TranscriptNode.AppendWork work = ready.appendWork();
        if (work != null) {
            for (TranscriptNode.Wire wire : work.responses()) {
                if (!(wire instanceof TranscriptNode.Wire.Net net) || net.message().from() == net.message().to()) {
                    node.deliver(wire);
                }
            }
            node.acknowledgeWritten(work.ticket());
        }
        node.onApplied(ready.committed());
    }

    private String describe(TranscriptNode node, TranscriptNode.Ready ready) {
        StringBuilder text = new StringBuilder();
        if (ready.roleChanged()) {
            text.append("Lead:").append(node.core().leader()).append(" State:")
                    .append(LogLine.role(node.core().role())).append('\n');
        }
        if (ready.hardState() != null) {
            text.append("HardState ").append(GoWords.hardState(ready.hardState())).append('\n');
        }
        if (!ready.entries().isEmpty()) {
            text.append("Entries:\n");
            ready.entries().forEach(entry -> text.append(GoWords.entry(entry)).append('\n'));
        }
        if (ready.snapshot() != null) {
            text.append("Snapshot ").append(GoWords.snapshot(ready.snapshot())).append('\n');
        }
        if (!ready.committed().isEmpty()) {
            text.append("CommittedEntries:\n");
            ready.committed().forEach(entry -> text.append(GoWords.entry(entry)).append('\n'));
        }
        List<String> messages = new ArrayList<>(ready.messages().stream().map(GoWords::message).toList());
        if (node.async && ready.appendWork() != null) {
            messages.add(describe(node, ready.appendWork()) + responses(ready.appendWork().responses()));
        }
        if (node.async && !ready.committed().isEmpty()) {
            messages.add(describeApply(node, ready.committed())
                    + responses(List.of(new TranscriptNode.Wire.Applied(node.id, ready.committed()))));
        }
        if (!messages.isEmpty()) {
            text.append("Messages:\n");
            messages.forEach(message -> text.append(message).append('\n'));
        }
        return text.isEmpty() ? "<empty Ready>" : "Ready MustSync=" + ready.mustSync() + ":\n" + text;
    }

    private static String responses(List<TranscriptNode.Wire> responses) {
        if (responses.isEmpty()) {
            return "";
        }
        StringBuilder text = new StringBuilder(" Responses:[\n");
        for (TranscriptNode.Wire response : responses) {
            text.append("  ").append(describe(response).replace("\n", "\n  ")).append('\n');
        }
        return text.append(']').toString();
    }

    private static String describe(TranscriptNode node, TranscriptNode.AppendWork work) {
        HardState state = work.hardState() == null ? HardState.EMPTY : work.hardState();
        return GoWords.hex(node.id) + "->AppendThread MsgStorageAppend Term:" + state.term() + " Log:0/0"
                + GoWords.commit(state.commit()) + (state.vote() == 0 ? "" : " Vote:" + state.vote())
                + GoWords.entries(work.entries(), "")
                + (work.snapshot() == null ? "" : "\n  Snapshot: " + GoWords.snapshot(work.snapshot()));
    }

    private static String describeApply(TranscriptNode node, List<Entry> entries) {
        return GoWords.hex(node.id) + "->ApplyThread MsgStorageApply Term:0 Log:0/0" + GoWords.entries(entries, "");
    }

    private void processAppend(TranscriptNode node) {
        if (node.appendWork.isEmpty()) {
            print("no append work to perform");
            return;
        }
        TranscriptNode.AppendWork work = node.appendWork.remove();
        print("Processing:\n" + describe(node, work) + "\n");
        node.store(work.entries(), work.snapshot());
        print("Responses:\n");
        work.responses().forEach(response -> print(describe(response) + "\n"));
        underWay.addAll(work.responses());
        node.written(work);
    }

    private void processApply(TranscriptNode node) {
        if (node.applyWork.isEmpty()) {
            print("no apply work to perform");
            return;
        }
        List<Entry> entries = node.applyWork.remove();
        TranscriptNode.Wire applied = new TranscriptNode.Wire.Applied(node.id, entries);
        print("Processing:\n" + describeApply(node, entries) + "\n");
        node.apply(entries);
        print("Responses:\n" + describe(applied) + "\n");
        underWay.add(applied);
    }
}
