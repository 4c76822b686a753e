package dev.quoin.member;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.function.LongPredicate;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;

import dev.quoin.api.etcdserverpb.Metadata;
import dev.quoin.api.raftpb.ConfChange;
import dev.quoin.api.raftpb.ConfChangeType;
import dev.quoin.base.Bytes;
import dev.quoin.base.HumanBytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.SnapshotMeta;

/**
 * Takes over a member of etcd's, 3.5 to 3.7, where it lies: before a start it is a data directory of etcd's, afterwards one of ours,
 * of the same member of the same cluster, and nothing that it has promised is forgotten.
 *
 * <p>What it is made of: the database holds the state as of some applied index; the log holds the entries behind that, committed or
 * not, and what the member has voted for. So our ledger becomes the database's rows at that index, and our log begins with a
 * snapshot mark there, the same term and vote, and the same entries. From there on it is a restart like any other. In particular:
 *
 * <ul>
 * <li>Etcd may have applied what its log does not know to be committed, or, in a follower, does not even hold: it does not wait for
 * its disk there. What is applied is committed, so the commit index becomes the applied one if that is greater.
 * <li>If the log's mark is beyond the database, a leader has sent a state, and power went before it took its place: then it lies
 * beside the database, named after the mark (storage/backend.go RecoverSnapshotBackend).
 * <li>Who decides is known to the log, by its mark and the changes behind it, and to the database, by its list of members. Versions
 * differ in what they go by, so both must say the same.
 * <li>A compaction that was under way goes on, since the database says so.
 * <li>Entries of the first API, by which members before 3.6 say their names, stay as they are: {@link OldRequests} reads them.
 * <li>A torn end of the log is cut off, as etcd does once at its start. Everything else that is wrong is refused.
 * </ul>
 *
 * <p>Nothing in etcd's files is changed, and as long as it is not clear that all of it can be done nothing is written at all. The
 * new files take the place of the old ones by a {@link DirectoryExchange}. Etcd is kept out by a lock on its log, and other
 * processes of ours by one on the new files. Takes as long as it takes to read the database twice and write it once. For one thread.
 */
final class EtcdImport {
    static final String BEING_MADE = "importing";
    /** Room beside the records: the segment of the log that is written, and the one that is made ahead. */
    private static final int LOG_SEGMENTS = 2;
    /**
     * Etcd hands what is committed to its store before it writes it to its log (server/etcdserver/raft.go), so a kill may leave a
     * database that is ahead of it in term as in an older copy.
     */
    private static final String REMEDY = "If nobody has put back a copy of any of these files, start etcd once more, stop it"
            + " with SIGTERM, and start again; else remove this member and add it again.";
    private static final Bytes STORAGE_VERSION = Bytes.utf8("storageVersion");

    private final Disk disk;
    private final DataDirectory directory;
    private final MemberLimits limits;
    private final Events events;
    private final DirectoryExchange exchange;

    EtcdImport(Disk disk, DataDirectory directory, MemberLimits limits, Events events) {
        this.disk = disk;
        this.directory = directory;
        this.limits = limits;
        this.events = events;
        exchange = exchange(disk, directory);
    }

    static DirectoryExchange exchange(Disk disk, DataDirectory directory) {
        return new DirectoryExchange(disk, directory, BEING_MADE);
    }

    /**
     * Does it, or what is left of it; nothing if no etcd's member is there, but at most a database that one left by mistake.
     *
     * @throws StartRefused if it cannot be taken over; says why, and what to do
     * @throws Damaged if what is there is not what etcd wrote
     * @throws dev.quoin.disk.DiskFailure if etcd runs on it, or the disk did not do what it was asked
     */
    void run() {
        directory.refuseHalfWay(disk);
        if (exchange.isHalfDone()) {
            try (DiskLock _ = disk.lock(exchange.made())) {
                exchange.resume();
            }
        } else if (directory.isEtcds(disk) && !directory.hasStrayDatabase(disk)) {
            reading(this::takeOver);
        }
    }

    /**
     * What {@link #run} would find, without doing it.
     *
     * @throws StartRefused as that
     * @throws Damaged as that
     */
    EtcdFound look() {
        directory.refuseHalfWay(disk);
        return reading((log, plan, found) -> {});
    }

    private interface Reader {
        void read(Wal.Held log, Plan plan, EtcdFound found);
    }

    private EtcdFound reading(Reader reader) {
        refuseMixture();
        try (Wal.Held log = Wal.hold(disk, directory.wal())) {
            Path file = database(log);
            try (SnapshotReader database = SnapshotReader.openUnverified(disk, file, SnapshotLimits.DEFAULT)) {
                Plan plan = plan(log, file, database);
                EtcdFound found = found(log, file, database, plan);
                refuseWithoutRoom(found);
                reader.read(log, plan, found);
                return found;
            }
        } catch (SnapshotRefused refused) {
            throw new StartRefused(refused.getMessage() + ".");
        }
    }

    private void takeOver(Wal.Held log, Plan plan, EtcdFound found) {
        events.importing(found);
        disk.createDirectories(exchange.made());
        try (DiskLock _ = disk.lock(exchange.made())) {
            Path kept = null;
            try {
                exchange.begin();
                make(log, plan);
                kept = exchange.finish(found.version().isEmpty() ? "etcd" : "etcd-" + found.version());
            } finally {
                if (kept == null && disk.exists(directory.member())) {
                    exchange.giveUp();
                }
            }
            if (kept != null) {
                events.imported(kept);
            }
        }
    }

    // ---- what it is

    /**
     * What is to be made.
     *
     * @param rows the state as of {@code applied}
     * @param behind the entries of the log behind that
     */
    private record Plan(String version, Metadata metadata, SnapshotImport rows, SnapshotMeta applied, WalState state,
            List<WalEntry> behind) {}

    private void refuseMixture() {
        if (directory.hasLedger(disk)) {
            throw new StartRefused("In " + directory.member()
                    + " are the database of an etcd and the ledger of a Quoin: two"
                    + " members have been started on it, and only one of them can have the log's promises. quoin doctor says"
                    + " what to do.");
        }
        if (!disk.exists(directory.database())) {
            throw directory.withoutDatabase();
        }
        if (!Wal.exists(disk, directory.wal())) {
            throw new StartRefused(directory.database()
                    + " is the database of an etcd, and there is no write-ahead log in "
                    + directory.wal() + ". Name its --wal-dir, or restore the database: etcdutl snapshot restore.");
        }
        exchange.refuseLogThatGoesAlong();
    }

    /** A state that a leader has sent and that has not taken its place yet is a file beside the database. */
    private Path database(Wal.Held log) {
        Path usual = directory.database();
        long mark = log.snapshot().index();
        try (SnapshotReader database = SnapshotReader.openUnverified(disk, usual, SnapshotLimits.DEFAULT)) {
            long applied = number(SnapshotImport.meta(usual, database), StateSnapshot.CONSISTENT_INDEX);
            if (mark <= applied) {
                return usual;
            }
            Path sent = directory.snap().resolve(HexFormat.of().toHexDigits(mark) + ".snap.db");
            if (disk.exists(sent)) {
                return sent;
            }
            throw new StartRefused("database file (" + usual + " index " + applied
                    + ") does not match with snapshot (index " + mark + "), and " + sent
                    + " is missing: the log begins behind a"
                    + " state that is not there. Put the file back, or remove this member and add it again.");
        }
    }

    private Plan plan(Wal.Held log, Path file, SnapshotReader database) {
        SortedMap<Bytes, Bytes> meta = SnapshotImport.meta(file, database);
        String version = version(file, meta, SnapshotImport.clusterVersion(file, database));
        long applied = number(meta, StateSnapshot.CONSISTENT_INDEX);
        long term = number(meta, StateSnapshot.TERM);
        refuseForeign(log, file, applied, term);
        SnapshotImport looked = new SnapshotImport(file, database,
                new SnapshotMeta(applied, term, new ConfState(List.of(), List.of())), "the database " + file);
        if (applied == 0 && looked.hasKeys()) {
            throw new StartRefused(
                    "The database " + file + " has keys, and does not say up to which entry of the log they go.");
        }
        Metadata metadata = metadata(log.metadata());
        if (looked.isRemoved(metadata.getNodeID())) {
            throw Startup.removed(metadata.getNodeID());
        }
        List<WalEntry> upTo = log.entries().subList(0,
                (int) Math.min(applied - log.snapshot().index(), log.entries().size()));
        List<WalEntry> behind = log.entries().subList(upTo.size(), log.entries().size());
        refuseOldKeys(log.snapshot(), upTo);
        refuseUnreadable(behind);
        // Of what a follower has applied and its log does not hold, the log does not know the changes.
        ConfState deciding = applied > log.lastIndex()
                ? looked.members().confState()
                : deciding(log.snapshot(), upTo, looked);
        SnapshotImport rows = new SnapshotImport(file, database, new SnapshotMeta(applied, term, deciding),
                "the database " + file);
        if (applied > 0) {
            refuseOthers(file, deciding, looked.members().confState());
            rows.check();
        }
        WalState promised = log.state();
        return new Plan(version, metadata, rows, new SnapshotMeta(applied, term, deciding),
                new WalState(promised.term(), promised.vote(), Math.max(promised.commit(), applied)), behind);
    }

    /** In etcd's words as far as it has some (storage/schema/schema.go). */
    private static String version(Path file, SortedMap<Bytes, Bytes> meta, String clusterVersion) {
        SemVersion version = StorageVersion.of(meta);
        if (version == null && number(meta, StateSnapshot.CONSISTENT_INDEX) == 0) {
            return "";
        }
        if (version == null) {
            throw StartRefused.onlyForUs("The database " + file
                    + " is of an etcd 3.4 or older: cannot detect storage schema version:"
                    + " missing term information. Start etcd 3.5 on it, and stop that once it is healthy; then it can be taken"
                    + " over. If the whole cluster is 3.4, bring it to 3.5 first.");
        }
        if (version.withoutPatch().compareTo(SemVersion.OWN_STORAGE) > 0) {
            throw StartRefused.onlyForUs("The database " + file + " is made for etcd " + version + ": version \""
                    + version
                    + "\" is not supported, " + SemVersion.OWN_STORAGE.major() + "." + SemVersion.OWN_STORAGE.minor()
                    + " is. Bring the cluster down to that first: etcdctl downgrade enable.");
        }
        Bytes said = meta.get(STORAGE_VERSION);
        if (said != null && SemVersion.parse(said.toUtf8()) == null) {
            throw new Damaged(file, 0, "its storageVersion is no version");
        }
        // A young 3.6 or 3.7 has not written it yet; but none is older than its cluster.
        SemVersion cluster = SemVersion.parse(clusterVersion);
        SemVersion known = said == null && cluster != null && version.compareTo(cluster) < 0 ? cluster : version;
        return known.major() + "." + known.minor();
    }

    /** Whether the log and the database can be of one member. */
    private void refuseForeign(Wal.Held log, Path file, long applied, long term) {
        long mark = log.snapshot().index();
        long last = log.lastIndex();
        if (applied < mark) {
            throw new StartRefused("The database " + file + " ends at index " + applied + ", and the log in "
                    + directory.wal() + " begins only behind " + mark
                    + ". One of them is not this member's, or an older copy.");
        }
        if (log.state().commit() > Math.max(last, applied)) {
            throw new StartRefused("The log in " + directory.wal() + " ends at index " + last + ", but "
                    + log.state().commit()
                    + " was committed: a part of it is missing. Remove this member and add it again.");
        }
        if (term > log.state().term()) {
            throw new StartRefused(
                    "The database " + file + " is of term " + term + ", and the log in " + directory.wal()
                            + " has only come to term " + log.state().term()
                            + ": it is an older copy, and has forgotten a vote; or etcd was killed while it wrote its log. "
                            + REMEDY);
        }
        long termInLog = applied == mark ? log.snapshot().term()
                : applied <= last ? log.entries().get((int) (applied - mark - 1)).term() : term;
        if (applied > 0 && termInLog != term) {
            throw new StartRefused("The entry at index " + applied + " is of term " + term + " in the database " + file
                    + ", and of term " + termInLog + " in the log in " + directory.wal()
                    + ". One of them is not this member's; or etcd was killed while it wrote its log. " + REMEDY);
        }
    }

    /** Whether the members in the database are those who decide by the log. */
    private static void refuseOthers(Path file, ConfState deciding, ConfState members) {
        if (!members.equals(deciding)) {
            throw StartRefused.onlyForUs("The database " + file + " cannot be taken over: its members are " + members
                    + ", and those who decide are said to be " + deciding
                    + " in the log. If the etcd is a 3.5, bring the cluster to the newest 3.5 first, which makes the two"
                    + " agree; else remove this member and add it again.");
        }
    }

    /** Etcd 3.6 refuses them, too (server/storage/schema, assertNoV2StoreContent), and 3.5 has them only with --enable-v2. */
    private void refuseOldKeys(WalSnapshot mark, List<WalEntry> applied) {
        Path file = SnapFile.in(directory.snap(), mark.term(), mark.index());
        boolean hasKeys;
        try {
            Bytes store = mark.index() > 0 && disk.exists(file) ? SnapFile.oldStore(disk, file) : Bytes.EMPTY;
            hasKeys = !store.isEmpty() && OldStore.hasKeys(store);
        } catch (IOException notAStore) {
            throw new Damaged(file, 0, "its store does not parse: " + notAStore.getMessage());
        }
        hasKeys |= applied.stream().anyMatch(entry -> EntryKind.of(entry.type()) == EntryKind.NORMAL
                && OldRequests.isOld(entry.data()) && OldRequests.changesKeys(entry.data()));
        if (hasKeys) {
            throw StartRefused.onlyForUs("In " + directory.member()
                    + " are keys that were written by etcd's first API (--enable-v2),"
                    + " which is no part of etcd since 3.6. Take them over with etcdctl migrate of etcd 3.5, or delete them there;"
                    + " let etcd 3.5 write its next snapshot, stop it, and start again.");
        }
    }

    private void refuseUnreadable(List<WalEntry> entries) {
        for (WalEntry entry : entries) {
            String obstacle = switch (EntryKind.of(entry.type())) {
                case NORMAL -> entry.data().isEmpty() ? null : Requests.obstacle(entry.data());
                case CONF_CHANGE -> MemberChange.obstacle(entry.data());
                case CONF_CHANGE_V2 -> "a change of several members at once";
            };
            if (obstacle != null) {
                throw StartRefused.onlyForUs("The entry at index " + entry.index() + " in the log in " + directory.wal()
                        + " cannot be applied: " + obstacle
                        + ". Start the etcd that wrote it once more, so that it applies it;"
                        + " stop it, and start again.");
            }
        }
    }

    private static Metadata metadata(Bytes bytes) {
        try {
            return Metadata.parseFrom(bytes.toByteArray());
        } catch (InvalidProtocolBufferException e) {
            throw new StartRefused(
                    "the write-ahead log names no member: its metadata does not parse: " + e.getMessage());
        }
    }

    /** 0 if it does not say, or is of an etcd that has done nothing yet. */
    private static long number(SortedMap<Bytes, Bytes> meta, Bytes key) {
        Bytes value = meta.get(key);
        return value == null || value.length() != Long.BYTES ? 0 : ByteBuffer.wrap(value.toByteArray()).getLong();
    }

    // ---- who decides

    /** Who decides after these entries, by the log; by the database where the log's mark, of etcd 3.4, does not say. */
    private static ConfState deciding(WalSnapshot mark, List<WalEntry> entries, SnapshotImport rows) {
        if (mark.index() > 0 && mark.confState().isEmpty()) {
            return rows.members().confState();
        }
        try {
            Membership known = rows.members();
            Deciding deciding = new Deciding(mark.confState(),
                    id -> known.member(id).isPresent() || rows.isRemoved(id));
            for (WalEntry entry : entries) {
                if (EntryKind.of(entry.type()) == EntryKind.CONF_CHANGE) {
                    String obstacle = MemberChange.obstacle(entry.data());
                    if (obstacle != null) {
                        throw new StartRefused("The entry at index " + entry.index()
                                + " in the log was applied and cannot be read: " + obstacle
                                + ". Remove this member and add it again.");
                    }
                    deciding.change(entry.data());
                }
            }
            return new ConfState(List.copyOf(deciding.voters), List.copyOf(deciding.learners));
        } catch (InvalidProtocolBufferException e) {
            throw new StartRefused("who decides, as the log's mark says it, does not parse: " + e.getMessage());
        }
    }

    /**
     * Changes by ids alone. Which of them etcd refused because of an id is known here, too; which members it did not take for
     * their URLs, or as one learner too many, is known from the database, which has never had them (membership/cluster.go
     * ValidateConfigurationChange). Each of them has an id of its own, so none comes again.
     */
    private static final class Deciding {
        private final TreeSet<Long> voters = new TreeSet<>(Long::compareUnsigned);
        private final TreeSet<Long> learners = new TreeSet<>(Long::compareUnsigned);
        private final TreeSet<Long> removed = new TreeSet<>(Long::compareUnsigned);
        /** Whom the database has, or has had. */
        private final LongPredicate wasTaken;

        Deciding(Bytes confState, LongPredicate wasTaken) throws InvalidProtocolBufferException {
            this.wasTaken = wasTaken;
            var state = dev.quoin.api.raftpb.ConfState.parseFrom(ByteString.copyFrom(confState.toByteArray()));
            voters.addAll(state.getVotersList());
            learners.addAll(state.getLearnersList());
        }

        void change(Bytes data) throws InvalidProtocolBufferException {
            ConfChange change = ConfChange.parseFrom(ByteString.copyFrom(data.toByteArray()));
            long id = change.getNodeId();
            boolean isKnown = voters.contains(id) || learners.contains(id);
            switch (change.getType()) {
                case ConfChangeAddNode, ConfChangeAddLearnerNode -> {
                    if (MemberJson.isPromote(Bytes.of(change.getContext().toByteArray()))) {
                        if (learners.remove(id)) {
                            voters.add(id);
                        }
                    } else if (!isKnown && !removed.contains(id) && wasTaken.test(id)) {
                        boolean isLearner = change.getType() == ConfChangeType.ConfChangeAddLearnerNode;
                        (isLearner ? learners : voters).add(id);
                    }
                }
                case ConfChangeRemoveNode -> {
                    boolean isLastVoter = voters.size() == 1 && voters.contains(id);
                    if (isKnown && !isLastVoter) {
                        voters.remove(id);
                        learners.remove(id);
                        removed.add(id);
                    }
                }
                case ConfChangeUpdateNode -> {}
            }
        }
    }

    // ---- room

    private EtcdFound found(Wal.Held log, Path file, SnapshotReader database, Plan plan) {
        long needed = plan.rows.ledgerBytes() + (directory.isLogInside() ? logBytes(plan) : 0);
        return new EtcdFound(plan.version, file, database.length(), plan.metadata.getNodeID(),
                plan.metadata.getClusterID(), plan.state.term(), plan.state.vote(), plan.applied.index(),
                log.lastIndex(),
                log.state().commit(), log.torn(), needed, disk.freeBytes(directory.root()));
    }

    private long logBytes(Plan plan) {
        return LOG_SEGMENTS * limits.wal().segmentBytes()
                + plan.behind.stream().mapToLong(entry -> entry.data().length() + 64L).sum();
    }

    private void refuseWithoutRoom(EtcdFound found) {
        String form = "To take over the etcd in " + directory.member()
                + " takes %s in %s, and %s are free there. Nothing was changed. Make room (etcdutl defrag makes the database"
                + " smaller, not what is needed), or move the directory to a larger disk.";
        if (found.neededBytes() > found.freeBytes()) {
            throw StartRefused.onlyForUs(form.formatted(HumanBytes.text(found.neededBytes()), directory.root(),
                    HumanBytes.text(found.freeBytes())));
        }
        Path logParent = Disk.parentOf(directory.wal());
        long logBytes = LOG_SEGMENTS * limits.wal().segmentBytes();
        if (!directory.isLogInside() && logBytes > disk.freeBytes(logParent)) {
            throw StartRefused.onlyForUs(form.formatted(HumanBytes.text(logBytes), logParent,
                    HumanBytes.text(disk.freeBytes(logParent))));
        }
    }

    // ---- making it

    private void make(Wal.Held log, Plan plan) {
        makeLedger(plan);
        Bytes metadata = log.metadata();
        SnapshotMeta applied = plan.applied;
        try (Wal wal = Wal.create(disk, exchange.log(), metadata, limits.wal())) {
            if (applied.index() > 0) {
                wal.beginAnew(
                        new WalSnapshot(applied.index(), applied.term(), ConfStates.encode(applied.configuration())),
                        plan.state);
            }
            wal.append(plan.behind, plan.state);
            wal.sync();
            wal.release(applied.index(), 1);
        }
        disk.syncDirectory(exchange.made());
    }

    private void makeLedger(Plan plan) {
        Path ledger = exchange.made().resolve(DataDirectory.LEDGER);
        SnapshotMeta applied = plan.applied;
        if (applied.index() == 0) {
            SnapshotImport.fill(disk, ledger, limits.ledger(), target -> {});
            return;
        }
        SnapshotImport.fill(disk, ledger, limits.ledger(), plan.rows::copyTo);
        // As a start would open it: so that what comes next cannot find anything else.
        OpenedStore opened;
        try {
            opened = OpenedStore.open(disk, ledger, limits, Events.NONE, Long.MAX_VALUE);
        } catch (Damaged | Malformed unusable) {
            throw new StartRefused("the database cannot be taken over: " + unusable.getMessage());
        }
        try {
            Invariant.check(opened.appliedIndex() == applied.index()
                    && opened.membership().confState().equals(applied.configuration()),
                    "the state at %d of %s came out as one at %d of %s", applied.index(), applied.configuration(),
                    opened.appliedIndex(), opened.membership().confState());
        } finally {
            opened.ledger().close();
        }
    }
}
