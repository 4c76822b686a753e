package dev.quoin.server;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.member.EtcdFound;
import dev.quoin.member.Events;
import dev.quoin.raft.LogLine;
import dev.quoin.server.auth.Tokens;
import dev.quoin.store.AuthOutcome;

/** Writes what a member has to say into the log, and passes on what is for others. */
final class EventLog implements Events {
    private static final Logger LOG = LoggerFactory.getLogger(EventLog.class);

    private final Runnable onRemoved;
    private final Tokens tokens;

    /**
     * @param onRemoved stops the server, in time; must not block
     * @param tokens told what becomes of users
     */
    EventLog(Runnable onRemoved, Tokens tokens) {
        this.onRemoved = onRemoved;
        this.tokens = tokens;
    }

    @Override
    public void damaged(Damaged damage) {
        LOG.atError().addKeyValue("error", damage.getMessage()).addKeyValue("remedy", Damaged.REMEDY)
                .log("found damage in a file of the store");
    }

    @Override
    public void logDamaged(Damaged damage) {
        LOG.atWarn().addKeyValue("error", damage.getMessage())
                .addKeyValue("remedy", "none is needed: the segment is given up once the ledger holds all that it says")
                .log("found damage in the write-ahead log");
    }

    @Override
    public void importing(EtcdFound found) {
        if (found.torn() != null) {
            LOG.atWarn().addKeyValue("detail", found.torn())
                    .log("the end of the etcd's write-ahead log was cut short; leaving it out");
        }
        LOG.atInfo().addKeyValue("etcd-version", found.version()).addKeyValue("path", found.database())
                .addKeyValue("db-size-bytes", found.databaseBytes())
                .addKeyValue("local-member-id", Long.toHexString(found.memberId()))
                .addKeyValue("cluster-id", Long.toHexString(found.clusterId())).addKeyValue("term", found.term())
                .addKeyValue("vote", Long.toHexString(found.vote()))
                .addKeyValue("consistent-index", found.appliedIndex())
                .addKeyValue("commit-index", found.commitIndex()).addKeyValue("last-index", found.lastIndex())
                .addKeyValue("needed-bytes", found.neededBytes()).addKeyValue("free-bytes", found.freeBytes())
                .log("taking over the data directory of an etcd");
    }

    @Override
    public void imported(Path kept) {
        LOG.atInfo().addKeyValue("kept", kept).addKeyValue("remedy",
                "never start etcd on it again: it has forgotten what was written and voted since; the way back is quoin export."
                        + " Delete it once nobody needs a backup of that time")
                .log("took over the data directory of an etcd");
    }

    @Override
    public void strayDatabase(Path kept) {
        LOG.atWarn().addKeyValue("kept", kept).addKeyValue("remedy",
                "see that no unit starts etcd on this directory any more; the file is empty and may be deleted")
                .log("an etcd was started on this member's directory and made an empty database, which was set aside");
    }

    @Override
    public void repaired(String what) {
        LOG.atWarn().addKeyValue("detail", what).log("repaired damage in a file of the store from the log");
    }

    @Override
    public void housekeepingRefused(DiskFailure failure) {
        LOG.atWarn().addKeyValue("error", failure.getMessage())
                .log("the disk has no room for a checkpoint or for giving space back; trying again later");
    }

    @Override
    public void changeRefused(String why) {
        LOG.atError().addKeyValue("error", why).log("validation of a configuration change failed");
    }

    @Override
    public void changeRejected(String arithmetic) {
        LOG.atWarn().addKeyValue("reason", arithmetic).log("rejecting a change of members");
    }

    @Override
    public void forced(String what) {
        LOG.atWarn().addKeyValue("detail", what).log("forcing restart member");
    }

    @Override
    public void consensus(LogLine line) {
        switch (line.level()) {
            case DEBUG -> LOG.debug(line.text());
            case INFO -> LOG.info(line.text());
            case WARN -> LOG.warn(line.text());
            case ERROR -> LOG.error(line.text());
        }
    }

    @Override
    public void removed(String why) {
        LOG.atWarn().addKeyValue("reason", why).log("the member has been permanently removed from the cluster");
        onRemoved.run();
    }

    @Override
    public void diskHangs(long nanos) {
        LOG.atWarn().addKeyValue("waiting-ms", TimeUnit.NANOSECONDS.toMillis(nanos))
                .log("the disk of the write-ahead log does not answer; handing leadership over");
    }

    @Override
    public void auth(long index, AuthOutcome outcome) {
        tokens.noted(index, outcome);
    }

    @Override
    public void diskFull(DiskFailure failure) {
        LOG.atError().addKeyValue("error", failure.getMessage())
                .log("the disk is full: writes are refused and leadership is handed over until there is space again");
    }

    @Override
    public void diskHasRoom() {
        LOG.info("the disk has space again: writes are accepted");
    }

    @Override
    public void quotaFills(int percent, long bytesInUse, long quotaBytes) {
        LOG.atWarn().addKeyValue("percent", percent).addKeyValue("bytes-in-use", bytesInUse)
                .addKeyValue("quota-size-bytes", quotaBytes)
                .log("much of the quota is in use; at 100 percent writes are refused: compact, or raise it");
    }

    @Override
    public void alarmLifted() {
        LOG.atInfo().addKeyValue("alarm", "NOSPACE")
                .log("there has been space below the quota for 30s; taking back the alarm that this member raised");
    }
}
