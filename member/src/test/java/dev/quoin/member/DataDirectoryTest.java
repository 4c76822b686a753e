package dev.quoin.member;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.base.Bytes;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.RealDisk;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalLimits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Where a member's files are, with the log in its place and with the log in another. */
class DataDirectoryTest {
    private final RealDisk disk = new RealDisk();

    private static DataDirectory directory(Path data, @Nullable Path log) {
        return DataDirectory.of(new MemberConfig("m", data, log, List.of(), "3.7.1", null, true, true, false,
                MemberLimits.DEFAULT));
    }

    @Test
    void theLogIsInTheDataDirectoryUnlessItHasAnother(@TempDir Path temp) {
        assertThat(directory(temp, null).wal()).isEqualTo(temp.resolve("member/wal"));
        assertThat(directory(temp, temp.resolve("other/../w")).wal()).isEqualTo(temp.resolve("w"));
    }

    @Test
    void aLogElsewhereIsMadeAndFoundAgain(@TempDir Path temp) {
        DataDirectory directory = directory(temp.resolve("data"), temp.resolve("not/there/wal"));
        try (DiskLock _ = directory.take(disk)) {
            Wal.create(disk, directory.wal(), Bytes.utf8("m"), WalLimits.DEFAULT).close();
        }
        assertThat(temp.resolve("not/there/wal")).isDirectoryContaining("glob:**.wal");
        assertThat(temp.resolve("data/member/wal")).doesNotExist();
        try (DiskLock _ = directory.take(disk)) {
            assertThat(Wal.exists(disk, directory.wal())).isTrue();
        }
    }

    /** A new log takes the place of a directory, and of all that is in it. */
    @Test
    void aDirectoryOfSomebodyElseIsRefusedAndUntouched(@TempDir Path temp) throws Exception {
        Path photos = Files.createDirectory(temp.resolve("photos"));
        Files.writeString(photos.resolve("cat"), "x");
        DataDirectory directory = directory(temp.resolve("data"), photos);
        assertThatThrownBy(() -> directory.take(disk)).isInstanceOf(StartRefused.class)
                .hasMessageContaining(photos.toString()).hasMessageContaining("--wal-dir");
        assertThat(photos.resolve("cat")).hasContent("x");
    }

    @Test
    void twoMembersHaveNoLogInCommon(@TempDir Path temp) {
        Path log = temp.resolve("wal");
        DataDirectory one = directory(temp.resolve("one"), log);
        DataDirectory other = directory(temp.resolve("other"), log);
        try (DiskLock _ = one.take(disk); DiskLock _ = other.take(disk)) {
            Wal.create(disk, log, Bytes.utf8("m"), WalLimits.DEFAULT).close();
            Wal first = Wal.open(disk, log, WalLimits.DEFAULT).wal();
            assertThatThrownBy(() -> Wal.open(disk, log, WalLimits.DEFAULT)).isInstanceOf(DiskFailure.class)
                    .hasMessageContaining("in use");
            first.close();
        }
    }
}
