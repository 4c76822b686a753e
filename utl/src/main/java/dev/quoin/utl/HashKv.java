package dev.quoin.utl;

import java.nio.file.Path;
import java.util.List;

import dev.quoin.disk.Disk;
import dev.quoin.store.HashWalk;
import dev.quoin.store.Hashing;
import dev.quoin.store.KeyHash;

/**
 * What {@code etcdutl hashkv} says of a database file (etcdutl/etcdutl/hashkv_command.go): the same number that a member answers
 * to HashKV at the same revision after the same compaction. A data directory may be named in place of a file.
 */
record HashKv(KeyHash hash) {
    static final List<Option> OPTIONS = List.of(Option.of("rev", Option.Kind.INTEGER, "0",
            "maximum revision to hash (default: latest revision)"));

    /** @param revision up to which it is hashed; 0 for all */
    static HashKv of(Disk disk, Path file, long revision) throws Refused {
        try (StoredKeys keys = StoredKeys.open(disk, file, null, false)) {
            return new HashKv(switch (keys.view().hash(revision)) {
                case Hashing.Known(KeyHash known) -> known;
                case HashWalk walk -> walk.run();
                case Hashing.Refused(var reason) -> throw new Refused(switch (reason) {
                    case COMPACTED -> "mvcc: required revision has been compacted";
                    case FUTURE_REVISION -> "mvcc: required revision is a future revision";
                    default -> "mvcc: " + reason;
                });
            });
        }
    }

    Report report() {
        return new Report(List.of(
                Report.Fact.of("HASH", "Hash", "hash", Integer.toUnsignedString(hash.hash())),
                Report.Fact.of("HASH REVISION", "Hash revision", "hashRevision", Long.toString(hash.revision())),
                Report.Fact.of("COMPACT REVISION", "Compact revision", "compactRevision",
                        Long.toString(hash.compactRevision()))));
    }
}
