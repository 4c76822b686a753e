package dev.quoin.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks whether a directory that is there already is its owner's alone, as those are that a member makes; warns, in etcd's words,
 * if it is not (CVE-2020-15113; client/pkg/fileutil/fileutil.go). It is served all the same: who else may read it is for the
 * operator to know.
 */
final class DirectoryMode {
    private static final Logger LOG = LoggerFactory.getLogger(DirectoryMode.class);
    private static final Set<PosixFilePermission> OWNERS_ALONE = PosixFilePermissions.fromString("rwx------");

    private DirectoryMode() {}

    /** Says nothing of what is not there, or of a file system without such permissions. */
    static void check(Path directory) {
        PosixFileAttributeView view = Files.getFileAttributeView(directory, PosixFileAttributeView.class);
        if (view == null || !Files.isDirectory(directory)) {
            return;
        }
        try {
            Set<PosixFilePermission> permissions = view.readAttributes().permissions();
            if (!permissions.equals(OWNERS_ALONE)) {
                warn("directory \"%s\" exist, but the permission is \"d%s\". The recommended permission is \"-rwx------\" to prevent possible unprivileged access to the data"
                        .formatted(directory, PosixFilePermissions.toString(permissions)));
            }
        } catch (IOException unreadable) {
            warn(String.valueOf(unreadable.getMessage()));
        }
    }

    private static void warn(String why) {
        LOG.atWarn().addKeyValue("error", why).log("check file permission");
    }
}
