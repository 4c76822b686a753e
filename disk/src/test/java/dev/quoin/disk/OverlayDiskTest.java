package dev.quoin.disk;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.disk.memory.FaultyDisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** On an overlay everything goes as on any disk, and what lies below stays as it was. */
class OverlayDiskTest {
    private static final Path HOME = Path.of("/home");
    private static final Path FILE = HOME.resolve("file");

    private final FaultyDisk below = new FaultyDisk(new Random(5));
    private final OverlayDisk disk = new OverlayDisk(below);

    OverlayDiskTest() {
        below.createDirectories(HOME);
        below.put(FILE, bytes(20_000, 1));
    }

    private static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static byte[] read(DiskFile file) {
        ByteBuffer all = ByteBuffer.allocate((int) file.size());
        assertThat(file.readFully(0, all)).isEqualTo(all.capacity());
        return all.array();
    }

    /** The same done to both, an array is what a file is to be. */
    @Test
    void aFileIsReadAsItWasWrittenWhateverWasDoneToIt() {
        for (long seed = 1; seed <= 50; seed++) {
            Random random = new Random(seed);
            byte[] expected = bytes(20_000, 1);
            try (DiskFile file = new OverlayDisk(below).open(FILE)) {
                for (int i = 0; i < 30; i++) {
                    int at = random.nextInt(expected.length + 5_000);
                    if (random.nextInt(4) == 0) {
                        file.truncate(at);
                        expected = Arrays.copyOf(expected, at);
                    } else {
                        byte[] written = random.nextBoolean() ? bytes(random.nextInt(9_000), random.nextLong())
                                : Arrays.copyOfRange(expected, Math.min(at, expected.length), expected.length);
                        file.writeFully(at, ByteBuffer.wrap(written));
                        // A write of nothing behind the end does not make a file longer.
                        expected = Arrays.copyOf(expected,
                                written.length == 0 ? expected.length : Math.max(expected.length, at + written.length));
                        System.arraycopy(written, 0, expected, Math.min(at, expected.length - written.length),
                                written.length);
                    }
                    assertThat(read(file)).as("seed %d, step %d", seed, i).isEqualTo(expected);
                    try (FileView view = file.view(file.size())) {
                        byte[] viewed = new byte[expected.length];
                        view.read(0, viewed, 0, viewed.length);
                        assertThat(viewed).as("view, seed %d, step %d", seed, i).isEqualTo(expected);
                    }
                }
            }
        }
        assertThat(below.contents(FILE)).isEqualTo(bytes(20_000, 1));
    }

    @Test
    void namesChangeHereAlone() {
        disk.createDirectories(HOME.resolve("sub"));
        try (DiskFile made = disk.create(HOME.resolve("sub/made"))) {
            made.writeFully(0, new byte[]{1, 2, 3}, 0, 3);
            made.renameTo(HOME.resolve("sub/renamed"));
            made.sync();
        }
        disk.rename(FILE, HOME.resolve("moved"));
        disk.syncDirectory(HOME);
        assertThat(disk.list(HOME)).containsExactly("moved", "sub");
        assertThat(disk.list(HOME.resolve("sub"))).containsExactly("renamed");
        assertThat(disk.isDirectory(HOME.resolve("sub"))).isTrue();
        assertThat(disk.isDirectory(HOME)).isTrue();
        assertThat(disk.isDirectory(HOME.resolve("moved"))).isFalse();
        assertThat(disk.exists(FILE)).isFalse();
        try (DiskFile moved = disk.openToRead(HOME.resolve("moved"))) {
            assertThat(read(moved)).isEqualTo(bytes(20_000, 1));
        }
        disk.deleteDirectory(HOME.resolve("sub"));
        disk.delete(HOME.resolve("moved"));
        assertThat(disk.list(HOME)).isEmpty();
        assertThatThrownBy(() -> disk.open(FILE)).isInstanceOf(DiskFailure.class);
        assertThatThrownBy(() -> disk.delete(FILE)).isInstanceOf(DiskFailure.class);
        assertThatThrownBy(() -> disk.list(HOME.resolve("sub"))).isInstanceOf(DiskFailure.class);

        assertThat(below.list(HOME)).containsExactly("file");
        assertThat(below.contents(FILE)).isEqualTo(bytes(20_000, 1));
    }

    @Test
    void whatIsThereIsNotMadeAnew() {
        assertThatThrownBy(() -> disk.create(FILE)).isInstanceOf(DiskFailure.class).hasMessageContaining("exists");
        disk.delete(FILE);
        disk.create(FILE).close();
        try (DiskFile file = disk.open(FILE)) {
            assertThat(file.size()).isZero();
        }
        assertThat(below.contents(FILE)).hasSize(20_000);
    }

    @Test
    void nobodysLockIsTakenAndEverybodysIsRespected() {
        disk.lock(HOME).close();
        try (DiskFile file = disk.open(FILE)) {
            file.lock();
        }
        assertThat(below.isLocked(HOME)).as("none was taken").isFalse();
        below.lock(HOME);
        DiskFile theirs = below.open(FILE);
        theirs.lock();
        assertThat(disk.isLocked(HOME)).isTrue();
        assertThatThrownBy(() -> disk.lock(HOME)).isInstanceOfSatisfying(DiskFailure.class,
                failure -> assertThat(failure.isInUse()).isTrue());
        try (DiskFile file = disk.open(FILE)) {
            assertThatThrownBy(file::lock).isInstanceOf(DiskFailure.class).hasMessageContaining("in use");
        }
        assertThat(List.of(below.contents(FILE).length)).containsExactly(20_000);
    }
}
