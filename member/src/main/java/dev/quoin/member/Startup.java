package dev.quoin.member;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import com.google.protobuf.InvalidProtocolBufferException;

import dev.quoin.api.etcdserverpb.Metadata;
import dev.quoin.base.Bytes;
import dev.quoin.disk.Disk;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.HardState;
import dev.quoin.raft.Restart;

/**
 * What a member is made of when it starts: found on the disk, or made anew. The ledger holds the store up to some applied
 * index, the log everything behind it. What lies between is applied again by the ordinary way, once consensus says that
 * it is committed; so starting after a crash is nothing special.
 *
 * @param firstKnown who is to be reached first
 */
record Startup(long memberId, long clusterId, Wal wal, OpenedStore opened, Restart restart,
        Membership firstKnown) {

    static final long FIRST_TERM = 1;

    /** Whether this member has founded its cluster, and has taken part in no election since. */
    boolean isBeforeFirstElection() {
        return restart.hardState().term() == FIRST_TERM && restart.hardState().vote() == 0;
    }

    static Startup on(Disk disk, DataDirectory directory, MemberConfig config, Events events) {
        Wal.Recovered log = openLog(disk, directory, config);
        boolean opened = false;
        try {
            Startup startup = withLedger(disk, directory, log, config, events);
            opened = true;
            return startup;
        } finally {
            if (!opened) {
                log.wal().close();
            }
        }
    }

    // ---- the log

    private static Wal.Recovered openLog(Disk disk, DataDirectory directory, MemberConfig config) {
        if (!Wal.exists(disk, directory.wal())) {
            Wal.create(disk, directory.wal(), newMetadata(origin(config, directory)), config.limits().wal()).close();
        }
        Wal.Recovered log = Wal.open(disk, directory.wal(), config.limits().wal());
        // Without a state nothing was ever promised: a crash met the bootstrap half-way, and it is done over.
        if (log.state().equals(WalState.EMPTY) && config.origin() instanceof Origin.Founder founder
                && founder.memberId() == metadata(log).getNodeID()) {
            return bootstrap(log, founder);
        }
        return log;
    }

    private static Origin origin(MemberConfig config, DataDirectory directory) {
        Origin origin = config.origin();
        if (origin == null) {
            throw new StartRefused("there is no write-ahead log in " + directory.wal());
        }
        return origin;
    }

    static Bytes newMetadata(Origin origin) {
        return Bytes.of(Metadata.newBuilder().setNodeID(origin.memberId()).setClusterID(origin.clusterId()).build()
                .toByteArray());
    }

    /** The log of a cluster that begins: an entry for each member it starts with, committed by definition. */
    private static Wal.Recovered bootstrap(Wal.Recovered log, Origin.Founder origin) {
        List<WalEntry> entries = ConfChanges.founding(Membership.of(origin.members()), FIRST_TERM);
        WalState state = new WalState(FIRST_TERM, 0, entries.size());
        log.wal().append(entries, state);
        log.wal().sync();
        return new Wal.Recovered(log.wal(), log.metadata(), state, log.snapshot(), entries);
    }

    private static Metadata metadata(Wal.Recovered log) {
        try {
            return Metadata.parseFrom(log.metadata().toByteArray());
        } catch (InvalidProtocolBufferException e) {
            throw new StartRefused("the write-ahead log names no member: its metadata does not parse: "
                    + e.getMessage());
        }
    }

    // ---- the ledger

    private static Startup withLedger(Disk disk, DataDirectory directory, Wal.Recovered log,
            MemberConfig config, Events events) {
        LedgerDirectories ledgers = new LedgerDirectories(disk, directory);
        Path inForce = ledgers.inForce(log.snapshot().index());
        // What the log still has need not be read from the ledger: damage there is cut off, and applied again.
        OpenedStore opened = OpenedStore.open(disk, inForce, config.limits(), events, log.snapshot().index());
        boolean consistent = false;
        try {
            refuseGap(log, opened.appliedIndex(), inForce, directory.wal());
            Metadata metadata = metadata(log);
            refuseRemoved(opened.membership(), metadata.getNodeID());
            ledgers.keepOnly(inForce);
            // A log that this very start has made has nobody in it to get rid of.
            Wal.Recovered usable = config.forceNewCluster() && config.origin() == null
                    ? forced(metadata.getNodeID(), log, opened, config, events)
                    : log;
            Startup startup = new Startup(metadata.getNodeID(), metadata.getClusterID(), log.wal(), opened,
                    restart(metadata.getNodeID(), usable, opened.membership(), opened.appliedIndex()),
                    firstKnown(opened.membership(), config));
            consistent = true;
            return startup;
        } finally {
            if (!consistent) {
                opened.ledger().close();
            }
        }
    }

    /** The log of a member that goes on alone. What is given up is still in the file until something is written over it. */
    private static Wal.Recovered forced(long memberId, Wal.Recovered log, OpenedStore opened, MemberConfig config,
            Events events) {
        ForcedCluster forced = ForcedCluster.of(memberId, opened.membership(), opened.appliedIndex(), log.state(),
                log.entries(), config.limits().learnersMax());
        log.wal().append(forced.added(), forced.state());
        log.wal().sync();
        events.forced("commit index: " + log.state().commit() + ", now " + forced.state().commit()
                + "; entries that change members: " + forced.added().size());
        List<WalEntry> entries = new ArrayList<>(log.entries());
        entries.addAll(forced.added());
        return new Wal.Recovered(log.wal(), log.metadata(), forced.state(), log.snapshot(), entries);
    }

    /** Before the log has told who belongs to the cluster, those count whom the member was told of. */
    private static Membership firstKnown(Membership membership, MemberConfig config) {
        Origin origin = config.origin();
        return membership.members().isEmpty() && origin != null ? Membership.of(origin.members()) : membership;
    }

    private static void refuseRemoved(Membership membership, long memberId) {
        if (membership.isRemoved(memberId)) {
            throw removed(memberId);
        }
    }

    static StartRefused removed(long memberId) {
        return new StartRefused("member " + Long.toHexString(memberId) + " has been permanently removed from"
                + " the cluster. Remove its data directory, and add it again as a new member.");
    }

    /** The log must reach back to what the ledger has applied, and forward at least as far. */
    private static void refuseGap(Wal.Recovered log, long applied, Path ledger, Path wal) {
        long base = log.snapshot().index();
        long last = base + log.entries().size();
        if (applied < base) {
            throw new StartRefused("The ledger in " + ledger + " ends at applied index " + applied
                    + ", and the log in " + wal + " begins only after " + base
                    + ". One of them is not this member's, or an older copy. Restore a backup, or start anew.");
        }
        if (applied > last) {
            throw new StartRefused("The ledger in " + ledger + " has applied index " + applied
                    + ", but the log in " + wal + " ends at " + last
                    + ". One of them is not this member's, or an older copy. Restore a backup, or start anew.");
        }
        if (log.state().commit() > last) {
            throw new StartRefused("The log in " + wal + " ends at index " + last + ", but "
                    + log.state().commit() + " was committed. Restore a backup, or start anew.");
        }
    }

    private static Restart restart(long memberId, Wal.Recovered log, Membership membership, long applied) {
        WalState state = log.state();
        List<Entry> entries = log.entries().stream().map(
                entry -> new Entry(entry.term(), entry.index(), EntryKind.of(entry.type()), entry.data())).toList();
        return new Restart(memberId, new HardState(state.term(), state.vote(), state.commit()),
                membership.confState(), log.snapshot().index(), log.snapshot().term(), entries, applied);
    }
}
