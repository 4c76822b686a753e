package dev.quoin.ctl.migrate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.ctl.migrate.MemberSeen.Answer;

/** Clusters as a look may find them: all well, until a test changes something. Members are m1, m2 and so on; the first one leads. */
final class Seen {
    private final List<Draft> members = new ArrayList<>();
    private final List<Sighting.Alarm> alarms = new ArrayList<>();
    private final List<String> strangers = new ArrayList<>();
    private final List<String> unanswered = new ArrayList<>();
    private Hashes hashes = new Hashes.Equal(42);

    /** A member in the making. */
    private static final class Draft {
        final int number;
        final Kind kind;
        String name;
        boolean isLearner;
        boolean isDown;
        String version = "3.7.1";
        String storageVersion = "3.7.0";
        long leader = 1;
        long raftIndex = 1000;
        long appliedIndex = 1000;
        long storeBytes = 1_000_000;
        long storeBytesInUse = 500_000;
        long quotaBytes;
        String downgradeTarget = "";
        long authRevision = 7;
        String readError = "";

        Draft(int number, Kind kind) {
            this.number = number;
            this.kind = kind;
            this.name = "m" + number;
        }

        MemberSeen member() {
            String host = "http://10.0.0." + number;
            List<String> clientUrls = name.isEmpty() ? List.of() : List.of(host + ":2379");
            return new MemberSeen(number, name, isLearner, List.of(host + ":2380"), clientUrls,
                    answer(host + ":2379"), isDown ? "connection refused" : "");
        }

        private @Nullable Answer answer(String endpoint) {
            return isDown || name.isEmpty() ? null
                    : new Answer(endpoint, kind, version, storageVersion, leader, 5, raftIndex, appliedIndex,
                            storeBytes, storeBytesInUse, quotaBytes, downgradeTarget, authRevision,
                            readError);
        }
    }

    /** Members of these kinds. */
    static Seen of(Kind... kinds) {
        Seen seen = new Seen();
        for (Kind kind : kinds) {
            seen.members.add(new Draft(seen.members.size() + 1, kind));
        }
        return seen;
    }

    Sighting look() {
        return new Sighting(members.stream().map(Draft::member).toList(), strangers, alarms, unanswered, hashes);
    }

    private Seen with(int number, Consumer<Draft> change) {
        change.accept(members.get(number - 1));
        return this;
    }

    Seen named(int number, String name) {
        return with(number, member -> member.name = name);
    }

    Seen unstarted(int number) {
        return named(number, "");
    }

    Seen learner(int number) {
        return with(number, member -> member.isLearner = true);
    }

    Seen down(int number) {
        return with(number, member -> member.isDown = true);
    }

    /** All say that this one leads. */
    Seen led(long leader) {
        members.forEach(member -> member.leader = leader);
        return this;
    }

    /** One of them says so. */
    Seen led(int number, long leader) {
        return with(number, member -> member.leader = leader);
    }

    Seen version(int number, String version, String storageVersion) {
        return with(number, member -> {
            member.version = version;
            member.storageVersion = storageVersion;
        });
    }

    Seen committed(int number, long index) {
        return with(number, member -> member.raftIndex = index);
    }

    Seen applied(int number, long index) {
        return with(number, member -> member.appliedIndex = index);
    }

    Seen space(int number, long storeBytes, long inUse, long quota) {
        return with(number, member -> {
            member.storeBytes = storeBytes;
            member.storeBytesInUse = inUse;
            member.quotaBytes = quota;
        });
    }

    Seen downgrading(int number, String target) {
        return with(number, member -> member.downgradeTarget = target);
    }

    Seen users(int number, long authRevision) {
        return with(number, member -> member.authRevision = authRevision);
    }

    Seen failingReads(int number, String error) {
        return with(number, member -> member.readError = error);
    }

    Seen alarm(long member, String name) {
        alarms.add(new Sighting.Alarm(member, name));
        return this;
    }

    Seen stranger(String endpoint) {
        strangers.add(endpoint);
        return this;
    }

    Seen unanswered(String what) {
        unanswered.add(what);
        return this;
    }

    Seen hashes(Hashes others) {
        hashes = others;
        return this;
    }
}
