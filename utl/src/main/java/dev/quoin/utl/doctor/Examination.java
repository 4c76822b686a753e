package dev.quoin.utl.doctor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.HumanBytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.member.EtcdExport;
import dev.quoin.member.EtcdFound;
import dev.quoin.member.HalfWay;
import dev.quoin.member.MemberRestore;
import dev.quoin.member.Membership;
import dev.quoin.member.StartRefused;
import dev.quoin.member.StoppedMember;
import dev.quoin.store.AlarmMember;
import dev.quoin.utl.EtcdDirectory;
import dev.quoin.utl.EtcdVersion;

/**
 * One look at a data directory. What keeps it from being looked at further ends it. Reads every byte of the files; changes none.
 * For one thread.
 */
final class Examination {
    /** Room that a member wants to begin with: the next segment of its log, and one file of the ledger to be rewritten. */
    static final long FREE_BYTES_MIN = WalLimits.DEFAULT.segmentBytes() + (64L << 20);
    /** Damage is told this often; a disk that dies has much of it. */
    private static final int DAMAGE_MAX = 20;
    private static final int FILES_SHOWN_MAX = 5;
    /** Below the directory {@code member}. */
    private static final int DEPTH = 2;

    private static final String AGAIN = "Remove this member and add it again; if it is the only one, restore a backup.";
    private static final String RESTORE = "Restore a snapshot into an empty directory: etcdutl snapshot restore"
            + " (docs/backups.md).";

    private final Disk disk;
    private final Path root;
    private final @Nullable Path log;
    private final List<Finding> findings = new ArrayList<>();

    /** @param log where the write-ahead log is, if it has a place of its own */
    Examination(Disk disk, Path root, @Nullable Path log) {
        this.disk = disk;
        this.root = root;
        this.log = log;
    }

    /** In the order in which it was found out. */
    List<Finding> run() {
        try {
            examine();
        } catch (DiskFailure failure) {
            findings.add(failure(failure));
        }
        return List.copyOf(findings);
    }

    private void add(Finding finding) {
        findings.add(finding);
    }

    private void examine() {
        if (!disk.exists(root)) {
            add(Finding.wrong(root + " is not there.",
                    "Name the --data-dir of the member. A member that starts makes a new one, and is a new member."));
            return;
        }
        if (!disk.isDirectory(root)) {
            add(Finding.wrong(root + " is a file, no data directory.",
                    "If it is a snapshot: quoin inspect " + root
                            + " shows it, etcdutl snapshot restore makes a directory of it."));
            return;
        }
        if (!mayBeUsed()) {
            return;
        }
        findFreeSpace();
        EtcdDirectory etcd = new EtcdDirectory(root);
        Path member = root.resolve("member");
        findAborted();
        boolean isStray = StoppedMember.hasStrayDatabase(disk, root, log);
        if (isStray) {
            add(Finding.note("An etcd has been started on this directory by mistake: its database " + etcd.database()
                    + " is empty, and a start of Quoin sets it aside. See that no unit starts etcd here any more."));
        }
        if (etcd.hasDatabase(disk) && !isStray) {
            examineEtcd(etcd);
        } else if (!disk.exists(member)) {
            if (findings.stream().noneMatch(Finding::isWrong)) {
                add(disk.list(root).isEmpty()
                        ? Finding.note(root + " is empty: a member that starts on it begins anew.")
                        : Finding.wrong(root + " holds files, but no member.", "Name the --data-dir of the member, in"
                                + " which there is a directory named member."));
            }
        } else {
            examineQuoin(member);
        }
    }

    // ---- the file system

    /** By what the files say of themselves: who asks may be another user than who runs the member. */
    private boolean mayBeUsed() {
        List<String> closed = new ArrayList<>();
        Set<String> owners = new HashSet<>();
        try {
            // Not what else is in the directory: a file system's own lost+found, for one, is root's.
            collectFiles(root, 0, closed, owners);
            for (Path directory : log == null ? List.of(root.resolve("member"))
                    : List.of(root.resolve("member"), log)) {
                if (disk.exists(directory)) {
                    collectFiles(directory, DEPTH, closed, owners);
                }
            }
        } catch (UnsupportedOperationException noPosix) {
            add(Finding.note("Whose the files are cannot be told on this system."));
            return true;
        } catch (IOException | UncheckedIOException unreadable) {
            add(Finding.wrong("Not all of " + root + " can be read: " + unreadable.getMessage() + ".",
                    "Ask as the user who runs the member, or as root."));
            return false;
        }
        if (!closed.isEmpty()) {
            add(Finding.wrong("Their own owner may not read or write " + shown(closed) + ".",
                    "chmod -R u+rwX " + root));
        }
        if (owners.size() > 1) {
            add(Finding.wrong("The files belong to several users: " + owners.stream().sorted()
                    .collect(Collectors.joining(", ")) + ". A restore that was done as root leaves it so.",
                    "Give all of it to the user who runs the member: chown -R USER " + root));
        }
        return true;
    }

    private static void collectFiles(Path directory, int depth, List<String> closed, Set<String> owners)
            throws IOException {
        try (Stream<Path> files = Files.walk(directory, depth)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                PosixFileAttributes attributes = Files.readAttributes(file, PosixFileAttributes.class);
                owners.add(attributes.owner().getName());
                Set<PosixFilePermission> may = attributes.permissions();
                boolean isOpen = may.contains(PosixFilePermission.OWNER_READ)
                        && may.contains(PosixFilePermission.OWNER_WRITE)
                        && (!attributes.isDirectory() || may.contains(PosixFilePermission.OWNER_EXECUTE));
                if (!isOpen) {
                    closed.add(file.toString());
                }
            }
        }
    }

    private static String shown(List<String> files) {
        String first = files.stream().limit(FILES_SHOWN_MAX).collect(Collectors.joining(", "));
        return files.size() > FILES_SHOWN_MAX ? first + " and " + (files.size() - FILES_SHOWN_MAX) + " more" : first;
    }

    private void findFreeSpace() {
        try {
            findings.addAll(ofRoom(Files.getFileStore(root).getUsableSpace()));
        } catch (IOException unknown) {
            add(Finding.note("How much room is on the disk cannot be told: " + unknown.getMessage()));
        }
    }

    /** What so many free bytes mean; nothing, if they are enough. */
    static List<Finding> ofRoom(long free) {
        return free >= FREE_BYTES_MIN
                ? List.of()
                : List.of(Finding.wrong(HumanBytes.text(free) + " are free on the disk, and a member wants at least "
                        + HumanBytes.text(FREE_BYTES_MIN)
                        + " for the next segment of its log, and to rewrite what nobody"
                        + " needs any more. Without it, it takes nothing to write.", "Make room on the disk."));
    }

    /** What a restore, a start or an export has left that was killed half-way. */
    private void findAborted() {
        for (String name : disk.list(root)) {
            HalfWay halfWay = EtcdExport.halfWay(disk, root, name);
            if (halfWay != null) {
                add(ofHalfWay(halfWay, root.resolve(name), name.endsWith("importing")
                        ? "start Quoin: it goes on with it."
                        : "quoin export " + root + " goes on with it."));
            }
            if (MemberRestore.isLeftover(name)) {
                Path left = root.resolve(name);
                boolean isDone = disk.exists(root.resolve("member"));
                add(isDone
                        ? Finding.note(left + " was left by a restore that was killed; nothing needs it.")
                        : Finding.wrong(
                                "A restore into this directory did not come to its end: " + left + " is there, and"
                                        + " no member.",
                                "Restore again, into the same directory: what is left is cleared away."));
            }
        }
    }

    private Finding ofHalfWay(HalfWay halfWay, Path left, String whatGoesOn) {
        Path member = root.resolve("member");
        return switch (halfWay) {
            case WITHOUT_EFFECT -> Finding.note(
                    left + " was left by a start or an export that was killed before anything had changed;"
                            + " the next one clears it away.");
            case GOES_ON -> Finding.wrong(
                    "The files of this member are on their way from one form to the other: " + left
                            + " is there, and no member. Etcd must not be started on it: it would begin anew.",
                    "Do this before any other server is started: " + whatGoesOn);
            case OVERTAKEN -> Finding.wrong(
                    "The files of this member were on their way from one form to the other, " + left
                            + ", when a server was started, which began anew in " + member
                            + ", with the same id and without what the member has promised.",
                    "Stop that server, move " + member + " away, and then: " + whatGoesOn
                            + " If the cluster has given the member up, delete " + left + " instead.");
            case WITHOUT_MEMBER -> Finding.wrong(
                    left + " was left by a start or an export that was killed before it was"
                            + " whole, and there is no member: a server that starts here begins anew.",
                    "If this is the --out of an export, do that again. Else put back " + member
                            + ", which was there then, or remove this member and add it again.");
        };
    }

    // ---- etcd's

    private void examineEtcd(EtcdDirectory etcd) {
        Path database = etcd.database();
        if (etcd.isInUse(disk)) {
            add(inUse("An etcd runs on " + root + "."));
            return;
        }
        String version = EtcdVersion.of(disk, database);
        try {
            EtcdFound found = StoppedMember.lookAtEtcd(disk, root, log);
            add(Finding.fine("This is the data directory of an etcd"
                    + (found.version().isEmpty() ? "" : " " + found.version()) + ": member "
                    + Long.toHexString(found.memberId())
                    + " of cluster " + Long.toHexString(found.clusterId()) + ", term " + found.term()
                    + "; applied up to index "
                    + found.appliedIndex() + ", the log goes on to " + found.lastIndex() + "."));
            add(Finding.note("A Quoin that starts on it takes it over. That takes "
                    + HumanBytes.text(found.neededBytes())
                    + ", and " + HumanBytes.text(found.freeBytes()) + " are free; what etcd had is kept beside it."));
            if (found.torn() != null) {
                add(Finding.note("The end of its log was cut short, and will be left out: " + found.torn()));
            }
        } catch (StartRefused | Damaged refused) {
            boolean etcdMayGoOn = refused instanceof StartRefused reason && reason.isOnlyForUs();
            add(Finding.wrong("This is the data directory of an etcd " + version + ", and no Quoin can take it over. "
                    + refused.getMessage(),
                    (etcdMayGoOn
                            ? "To go on with etcd, start etcd on it."
                            : "Do not simply start etcd on it: it may have forgotten what it has acknowledged or voted.")
                            + " For a new cluster, make a directory for Quoin of the database"
                            + " alone: etcdutl snapshot restore " + database
                            + " --skip-hash-check --data-dir NEW, with the options of docs/backups.md."));
        }
        try (SnapshotReader reader = SnapshotReader.openUnverified(disk, database, SnapshotLimits.DEFAULT)) {
            for (BucketRows bucket : reader.buckets()) {
                bucket.rows().forEach((key, value) -> {});
            }
            add(Finding.fine("The database is whole, as far as it can be told: etcd keeps no checksums of its rows."));
        } catch (Damaged damage) {
            add(Finding.wrong(damage.getMessage() + ".", "etcd would not get through either. " + RESTORE));
        }
        if (!disk.exists(etcd.log())) {
            add(Finding.wrong("There is no write-ahead log in " + etcd.log() + ": etcd does not start without one.",
                    "Put it back (etcd was started with --wal-dir?), or restore the database as above."));
        }
        if (StoppedMember.isQuoins(disk, root)) {
            add(Finding.wrong("A ledger of Quoin's is there too: two members have been started on this directory.",
                    "Find out which one the cluster knows, and move the other one's files away: Quoin's are member/ledger*,"
                            + " etcd's is member/snap/db. They share member/wal, which only one of them can have written."));
        }
    }

    // ---- Quoin's

    private void examineQuoin(Path member) {
        if (disk.isLocked(member)) {
            add(inUse("A member runs on " + root + "."));
            return;
        }
        if (!StoppedMember.isQuoins(disk, root) && !Wal.exists(disk, log == null ? member.resolve("wal") : log)) {
            add(Finding.note(
                    root + " holds no member yet, neither log nor ledger: a member that starts on it begins anew."));
            return;
        }
        findSetAside(member);
        try (StoppedMember stopped = StoppedMember.look(disk, root, log)) {
            describe(stopped);
            findStrangers(stopped);
            findAlarms(stopped);
            findDamage(stopped);
        } catch (StartRefused refused) {
            boolean mayBeElsewhere = log == null && !disk.exists(member.resolve("wal"));
            add(Finding.wrong(String.valueOf(refused.getMessage()), mayBeElsewhere
                    ? "If the member was given a --wal-dir, name it: quoin doctor " + root + " --wal-dir DIR"
                    : ""));
        } catch (Damaged damage) {
            String what = String.valueOf(damage.getMessage());
            add(Finding.wrong(what, what.contains(Damaged.REMEDY) ? "" : Damaged.REMEDY));
        } catch (Invariant.Violation violation) {
            add(Finding.wrong("What is stored contradicts itself, though its checksums are right: "
                    + violation.getMessage(), AGAIN));
        }
    }

    private static Finding inUse(String who) {
        return Finding.wrong(who + " It looks after its files by itself, and nobody else can look at them meanwhile.",
                "Ask it (etcdctl endpoint status, endpoint health), and read its log; or stop it, and look again. A second"
                        + " member needs a --data-dir of its own.");
    }

    private void describe(StoppedMember member) {
        add(Finding.fine("Member " + Long.toHexString(member.memberId()) + name(member) + " of cluster "
                + Long.toHexString(member.clusterId()) + ", term " + member.term() + ". Others of that cluster: "
                + others(member) + "."));
        add(Finding.fine("Revision " + member.view().revision() + ", " + member.view().keyCount()
                + " keys; applied up to index " + member.appliedIndex() + ", the log goes on to " + member.lastIndex()
                + ". The ledger takes " + HumanBytes.text(member.ledgerBytes()) + "."));
        String repaired = member.repaired();
        if (repaired != null) {
            add(Finding.note("A start will set aside what is damaged, and apply it again from the log: " + repaired));
        }
    }

    private static String name(StoppedMember member) {
        return member.membership().member(member.memberId()).map(info -> " (" + info.name() + ")").orElse("");
    }

    private static String others(StoppedMember member) {
        String others = member.membership().members().stream().filter(info -> info.id() != member.memberId())
                .map(info -> Long.toHexString(info.id()) + (info.name().isEmpty() ? "" : " (" + info.name() + ")"))
                .collect(Collectors.joining(", "));
        return others.isEmpty() ? "none" : others;
    }

    /** Files that come from another member or cluster. */
    private void findStrangers(StoppedMember member) {
        Membership membership = member.membership();
        if (!membership.members().isEmpty() && membership.member(member.memberId()).isEmpty()) {
            add(Finding.wrong("The log is that of member " + Long.toHexString(member.memberId()) + " of cluster "
                    + Long.toHexString(member.clusterId())
                    + ", whom the ledger does not know. One of them is another member's,"
                    + " or an older copy.", "Put back what belongs together. " + AGAIN));
        }
    }

    private void findAlarms(StoppedMember member) {
        for (AlarmMember alarm : member.view().alarms()) {
            String who = Long.toHexString(alarm.memberId());
            switch (alarm.type()) {
                case AlarmMember.NO_SPACE -> add(Finding.wrong("The alarm NOSPACE is raised by member " + who
                        + ": the cluster takes nothing to write.",
                        "Start it, compact and delete what is not needed, or raise --quota-backend-bytes; the alarm is taken"
                                + " back when there is room, or by etcdctl alarm disarm."));
                case AlarmMember.CORRUPT -> add(Finding.wrong("The alarm CORRUPT is raised: member " + who
                        + " holds something else than the others.",
                        "Remove the member that the alarm names and add it again, then etcdctl alarm disarm."));
                default ->
                    add(Finding.note("An alarm of the unknown type " + alarm.type() + " is raised by " + who + "."));
            }
        }
    }

    private void findDamage(StoppedMember member) {
        List<Damaged> found = new ArrayList<>(member.damage());
        member.scrub(damage -> {
            boolean isNew = found.stream().noneMatch(
                    known -> known.file().equals(damage.file()) && known.offset() == damage.offset());
            if (isNew) {
                found.add(damage);
            }
        });
        for (Damaged damage : found.stream().limit(DAMAGE_MAX).toList()) {
            boolean isInLog = damage.file().endsWith(".wal");
            add(isInLog
                    ? Finding.wrong(damage.getMessage() + ".", Damaged.REMEDY)
                    : Finding.wrong(damage.getMessage() + ".\nReads that need it get DataLoss, all else is served.",
                            AGAIN));
        }
        if (found.size() > DAMAGE_MAX) {
            add(Finding.wrong("There is more damage, in " + (found.size() - DAMAGE_MAX) + " further places.", AGAIN));
        }
        if (found.isEmpty()) {
            add(Finding.fine("Every record of ledger and log is as it was written."));
        }
    }

    /** What starts have kept of files that were damaged or cut short. */
    private void findSetAside(Path member) {
        List<String> kept = new ArrayList<>();
        for (String name : disk.list(member)) {
            Path below = member.resolve(name);
            if (disk.isDirectory(below)) {
                disk.list(below).stream().filter(file -> file.endsWith(".damaged") || file.endsWith(".broken"))
                        .forEach(file -> kept.add(below.resolve(file).toString()));
            }
        }
        if (!kept.isEmpty()) {
            add(Finding.note("Starts have set aside what was damaged or cut short: " + shown(kept)
                    + ". No member reads it; it may be deleted once nobody wants to look at it."));
        }
    }

    private Finding failure(DiskFailure failure) {
        if (failure.isInUse()) {
            return inUse("Somebody uses " + failure.file() + ".");
        }
        String reason = failure.reason();
        String cure = reason.contains("newer Quoin")
                ? "Start that version again, or restore a snapshot with this one."
                : "Look after the disk (dmesg, smartctl), and ask again. " + AGAIN;
        return Finding.wrong(String.valueOf(failure.getMessage()), cure);
    }
}
