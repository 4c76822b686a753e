package dev.quoin.raft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

import dev.quoin.base.Invariant;

/**
 * A transcript that nobody has thought up: commands drawn from a seed, with what our cores answer, for the reference to
 * agree with. Drawn so that the reference survives it: its harness panics on a snapshot and entries in one Ready, on a
 * change of members that cannot be, and on a transfer that is passed on twice.
 */
final class RandomTranscript {
    private static final int COMMANDS = 220;
    private static final int NODES = 5;
    private static final long START_INDEX = 10;

    private final Random random;
    private final TranscriptCluster cluster = new TranscriptCluster();
    private final StringBuilder text = new StringBuilder();
    private final boolean async;
    private int nextProposal;
    private boolean changesMembers;

    private RandomTranscript(long seed) {
        random = new Random(seed);
        async = random.nextInt(3) == 0;
        text.append("# seed ").append(seed).append('\n');
    }

    static String of(long seed) {
        return new RandomTranscript(seed).write();
    }

    private String write() {
        changesMembers = random.nextInt(4) != 0;
        String options = " async-storage-writes=" + async + (async ? "" : flag(" prevote=true"))
                + flag(" checkquorum=true")
                + flag(" step-down-on-removal=true")
                + (random.nextBoolean() ? " inflight=" + (1 + random.nextInt(3)) : "") + limits();
        // A snapshot is that of the state machine as the core knows it, which with asynchronous storage lags behind what the
        // reference's harness takes: there, nobody needs one.
        int voters = async ? NODES : 2 + random.nextInt(3);
        String ids = String.join(",", IntStream.rangeClosed(1, voters).mapToObj(String::valueOf).toList());
        String learners = voters < NODES && random.nextInt(3) == 0 ? " learners=(" + (voters + 1) + ")" : "";
        int members = voters + (learners.isEmpty() ? 0 : 1);
        perform("add-nodes " + members + " voters=(" + ids + ")" + learners + " index=" + START_INDEX + options, "");
        if (members < NODES) {
            perform("add-nodes " + (NODES - members) + options, "");
        }
        perform("campaign 1", "");
        for (int i = 0; i < COMMANDS; i++) {
            try {
                command();
            } catch (Invariant.Violation e) {
                // Here the reference's harness gives up; what it would make of the rest is of no use.
                if (e.getMessage() != null && e.getMessage().startsWith("can't apply snapshot and entries")) {
                    break;
                }
                throw e;
            }
        }
        return text.toString();
    }

    /** Such that they do not hang on how many bytes an entry has on the wire, which is not all the same here and there. */
    private String limits() {
        String message = random.nextInt(3) != 0 ? ""
                : " max-size-per-msg=0"
                        + (random.nextBoolean() ? " max-inflight-bytes=" + (1 + random.nextInt(8)) : "");
        String applied = message.isEmpty() && random.nextInt(3) != 0 ? ""
                : " max-committed-size-per-ready=" + (random.nextBoolean() ? 1 : Long.MAX_VALUE);
        // The reference does not forget a change of members that it dropped for its size.
        String appended = changesMembers ? "" : " max-uncommitted-size=" + (3 + random.nextInt(6));
        return message + applied + appended;
    }

    private String flag(String option) {
        return random.nextBoolean() ? option : "";
    }

    private void perform(String command, String input) {
        Transcript.Command parsed = Transcript.parse(List.of((command + "\n" + input + "----\n\n").split("\n", -1)))
                .commands().getFirst();
        String output = cluster.perform(parsed).stripTrailing();
        text.append('\n').append(command).append('\n').append(input).append("----\n").append(output).append('\n');
    }

    /** A core counts its own pre-vote at once, the reference after its next Ready: nothing may come between. */
    private void settlePreVote(int node) {
        if (cluster.node(node).core().role() == RaftCore.Role.PRE_CANDIDATE) {
            perform("process-ready " + node, "");
        }
    }

    private int node() {
        return 1 + random.nextInt(NODES);
    }

    private List<Integer> leaders() {
        return IntStream.rangeClosed(1, NODES).filter(id -> cluster.node(id).core().isLeader()).boxed().toList();
    }

    private int leaderOrAny() {
        List<Integer> leaders = leaders();
        return leaders.isEmpty() || random.nextInt(6) == 0 ? node() : leaders.get(random.nextInt(leaders.size()));
    }

    private void command() {
        int choice = random.nextInt(100);
        if (choice < 3) {
            int node = node();
            perform("campaign " + node, "");
            settlePreVote(node);
        } else if (choice < 15) {
            perform("propose " + leaderOrAny() + " p" + nextProposal++, "");
        } else if (choice < 18) {
            tick("tick-heartbeat", leaderOrAny());
        } else if (choice < 22) {
            tick("tick-election", node());
        } else if (choice < 42) {
            perform("process-ready " + node(), "");
        } else if (choice < 62) {
            deliver();
        } else if (choice < 72) {
            storage();
        } else if (choice < 76) {
            perform("stabilize " + node() + " " + node(), "");
        } else if (choice < 79) {
            perform("stabilize", "");
        } else if (choice < 84) {
            changeMembers();
        } else if (choice < 87) {
            compact();
        } else if (choice < 93) {
            trouble();
        } else {
            look();
        }
    }

    /** The reference's luck is not ours: it is set before each tick. */
    private void tick(String command, int node) {
        perform("set-randomized-election-timeout " + node + " timeout=" + (3 + random.nextInt(3)), "");
        perform(command + " " + node, "");
        settlePreVote(node);
    }

    private void deliver() {
        String types = switch (random.nextInt(8)) {
            case 0 -> " type=MsgApp";
            case 1 -> " type=MsgAppResp";
            case 2 -> " type=MsgHeartbeatResp";
            default -> "";
        };
        int to = node();
        int dropped = node();
        String drop = dropped != to && random.nextInt(3) == 0 ? " drop=(" + dropped + ")" : "";
        perform("deliver-msgs " + to + drop + types, "");
    }

    private void storage() {
        if (async) {
            perform((random.nextBoolean() ? "process-append-thread " : "process-apply-thread ") + node(), "");
        } else {
            perform("process-ready " + node() + " " + node(), "");
        }
    }

    /** Only by a leader, whose configuration is the newest if the change is appended at all. */
    private void changeMembers() {
        List<Integer> leaders = leaders();
        if (leaders.isEmpty() || !changesMembers) {
            return;
        }
        int leader = leaders.get(random.nextInt(leaders.size()));
        ConfState now = cluster.node(leader).core().members();
        boolean single = random.nextBoolean();
        List<String> words = new ArrayList<>();
        List<Long> voters = new ArrayList<>(now.voters());
        // A member that is removed and added again by one change starts anew there; here it goes on.
        List<Long> ids = new ArrayList<>(LongStream.rangeClosed(1, NODES).boxed().toList());
        Collections.shuffle(ids, random);
        for (long id : ids.subList(0, single ? 1 : 1 + random.nextInt(3))) {
            int kind = random.nextInt(4);
            boolean staysBigEnough = !voters.contains(id) || voters.size() > 2;
            if (kind == 0 && staysBigEnough) {
                words.add("r" + id);
                voters.remove(id);
            } else if (kind == 1 && staysBigEnough) {
                words.add("l" + id);
                voters.remove(id);
            } else {
                words.add("v" + id);
                voters.remove(id);
                voters.add(id);
            }
        }
        if (!now.votersOutgoing().isEmpty() && random.nextBoolean()) {
            perform("propose-conf-change " + leader, "");
        } else if (single) {
            perform("propose-conf-change " + leader + " v1=true", words.getFirst() + "\n");
        } else {
            String transition = List.of("auto", "implicit", "explicit").get(random.nextInt(3));
            perform("propose-conf-change " + leader + " transition=" + transition, String.join(" ", words) + "\n");
        }
    }

    private void compact() {
        TranscriptNode node = cluster.node(node());
        long applied = Math.min(node.core().log().appliedIndex(), node.storedBase() + node.stored().size());
        if (!async && applied > node.storedBase() && node.core().log().pendingSnapshot() == null) {
            long to = node.storedBase() + 1 + random.nextInt((int) (applied - node.storedBase()));
            perform("compact " + node.id + " " + to, "");
        }
    }

    private void trouble() {
        List<Integer> leaders = leaders();
        if (leaders.isEmpty() || random.nextInt(4) == 0) {
            perform("forget-leader " + node(), "");
            return;
        }
        int leader = leaders.get(random.nextInt(leaders.size()));
        int other = node();
        ConfState members = cluster.node(leader).core().members();
        boolean known = members.isVoter(other) || members.learners().contains((long) other);
        switch (random.nextInt(3)) {
            case 0 -> perform("transfer-leadership from=" + leader + " to=" + other, "");
            case 1 -> {
                if (known && other != leader) {
                    perform("report-unreachable " + leader + " " + other, "");
                }
            }
            default -> {
                if (other != leader && !async) {
                    perform("send-snapshot " + leader + " " + other, "");
                }
            }
        }
    }

    private void look() {
        switch (random.nextInt(3)) {
            case 0 -> perform("raft-state", "");
            case 1 -> perform("raft-log " + node(), "");
            default -> {
                // A new leader's own log counts from its disk here, from its memory there, until the disk is done.
                if (!async) {
                    perform("status " + leaderOrAny(), "");
                }
            }
        }
    }

    /** Arguments: a folder, the first seed, and how many. */
    public static void main(String[] args) throws IOException {
        Path folder = Files.createDirectories(Path.of(args[0]));
        long first = Long.parseLong(args[1]);
        for (long seed = first; seed < first + Long.parseLong(args[2]); seed++) {
            Files.writeString(folder.resolve(seed + ".txt"), of(seed));
        }
    }
}
