package dev.quoin.disk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The disk of this machine.
 *
 * <p>Three traps of the JDK shape it. A thread that is interrupted inside a {@link FileChannel} closes the channel for
 * everyone, so channels are used by the owner of a file only, who is never interrupted, and readers get a memory map. A
 * mapped page that cannot be read is an {@link InternalError} when it is copied to the heap, but the death of the JVM
 * when it is handed to an intrinsic such as CRC-32C, so a view only ever copies. And a POSIX lock on a file is lost when
 * <i>any</i> channel on that file is closed in this process, so a locked file is opened once.
 */
public final class RealDisk implements Disk {
    /** In a locked directory; its content means nothing. */
    private static final String LOCK_NAME = "quoin.lock";
    private static final boolean POSIX = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    private static final FileAttribute<?>[] FILE_MODE = mode("rw-------");
    private static final FileAttribute<?>[] DIRECTORY_MODE = mode("rwx------");

    private static FileAttribute<?>[] mode(String permissions) {
        if (!POSIX) {
            return new FileAttribute<?>[0];
        }
        Set<PosixFilePermission> set = PosixFilePermissions.fromString(permissions);
        return new FileAttribute<?>[]{PosixFilePermissions.asFileAttribute(set)};
    }

    /** A disk that cannot say is not one that says no: what seems not to be there would be made anew. */
    @Override
    public boolean exists(Path path) {
        try {
            Files.readAttributes(path, BasicFileAttributes.class);
            return true;
        } catch (NoSuchFileException no) {
            return false;
        } catch (IOException e) {
            throw new DiskFailure("look for", path, e);
        }
    }

    @Override
    public boolean isDirectory(Path path) {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).isDirectory();
        } catch (NoSuchFileException no) {
            return false;
        } catch (IOException e) {
            throw new DiskFailure("look for", path, e);
        }
    }

    @Override
    public List<String> list(Path directory) {
        try (Stream<Path> children = Files.list(directory)) {
            return children.map(child -> child.getFileName().toString()).sorted().toList();
        } catch (IOException | UncheckedIOException e) {
            throw new DiskFailure("list", directory, e);
        }
    }

    @Override
    public void createDirectory(Path directory) {
        try {
            Files.createDirectory(directory, DIRECTORY_MODE);
        } catch (IOException e) {
            throw new DiskFailure("make directory", directory, e);
        }
    }

    @Override
    public DiskFile create(Path file) {
        try {
            return new RealFile(file, FileChannel.open(file, Set.of(StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ, StandardOpenOption.WRITE), FILE_MODE));
        } catch (IOException e) {
            throw refusedWrite("create", file, 0, e);
        }
    }

    @Override
    public DiskFile open(Path file) {
        try {
            return new RealFile(file, FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw new DiskFailure("open", file, e);
        }
    }

    @Override
    public DiskFile openToRead(Path file) {
        try {
            return new RealFile(file, FileChannel.open(file, StandardOpenOption.READ));
        } catch (IOException e) {
            throw new DiskFailure("open", file, e);
        }
    }

    @Override
    public void rename(Path from, Path to) {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new DiskFailure("rename to " + to.getFileName(), from, e);
        }
    }

    @Override
    public void delete(Path path) {
        try {
            Files.delete(path);
        } catch (IOException e) {
            throw new DiskFailure("delete", path, e);
        }
    }

    @Override
    public void syncDirectory(Path directory) {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            throw new DiskFailure("sync directory", directory, e);
        }
    }

    @Override
    public long freeBytes(Path directory) {
        try {
            return Files.getFileStore(directory).getUsableSpace();
        } catch (IOException e) {
            throw new DiskFailure("look for room in", directory, e);
        }
    }

    @Override
    public DiskLock lock(Path directory) {
        Path path = directory.resolve(LOCK_NAME);
        try {
            FileChannel channel = FileChannel.open(path,
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), FILE_MODE);
            lock(channel, directory);
            return () -> close(channel, path);
        } catch (IOException e) {
            throw new DiskFailure("lock", directory, e);
        }
    }

    @Override
    public boolean isLocked(Path directory) {
        Path path = directory.resolve(LOCK_NAME);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return isLocked(channel);
        } catch (NoSuchFileException never) {
            return false;
        } catch (IOException e) {
            throw new DiskFailure("look for the lock of", directory, e);
        }
    }

    /** A lock that others may share is to be had unless somebody has it for himself alone. */
    private static boolean isLocked(FileChannel channel) throws IOException {
        try (FileLock lock = channel.tryLock(0, Long.MAX_VALUE, true)) {
            return lock == null;
        } catch (OverlappingFileLockException e) {
            return true;
        }
    }

    /** Locks {@code channel} or closes it; {@code name} is what the user knows it by. */
    private static void lock(FileChannel channel, Path name) throws IOException {
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Another owner in this very process: in use all the same.
        } finally {
            if (lock == null) {
                channel.close();
            }
        }
        if (lock == null) {
            throw DiskFailure.inUse(name);
        }
    }

    /** Why the system took no bytes, of {@code length} that it was given. */
    private static DiskFailure refusedWrite(String operation, Path file, int length, IOException why) {
        return isNoSpace(file, length, why)
                ? DiskFailure.noSpace(operation, file, why)
                : DiskFailure.refusedWrite(operation, file, why);
    }

    /** The JDK keeps the system's text and not its number; the text is in the language of the environment. */
    private static boolean isNoSpace(Path file, int length, IOException why) {
        String text = String.valueOf(why.getMessage());
        if (text.contains("No space left on device") || text.contains("Disk quota exceeded")) {
            return true;
        }
        try {
            return Files.getFileStore(Disk.parentOf(file)).getUsableSpace() <= length;
        } catch (IOException unknown) {
            return false;
        }
    }

    private static void close(FileChannel channel, Path path) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new DiskFailure("close", path, e);
        }
    }

    private static final class RealFile implements DiskFile {
        private Path path;
        private final FileChannel channel;

        RealFile(Path path, FileChannel channel) {
            this.path = path;
            this.channel = channel;
        }

        @Override
        public Path path() {
            return path;
        }

        @Override
        public long size() {
            try {
                return channel.size();
            } catch (IOException e) {
                throw new DiskFailure("size", path, e);
            }
        }

        @Override
        public int read(long position, ByteBuffer target) {
            try {
                return channel.read(target, position);
            } catch (IOException e) {
                throw new DiskFailure("read at byte " + position, path, e);
            }
        }

        @Override
        public int write(long position, ByteBuffer source) {
            try {
                return channel.write(source, position);
            } catch (IOException e) {
                throw refusedWrite("write at byte " + position, path, source.remaining(), e);
            }
        }

        @Override
        public void truncate(long size) {
            try {
                if (size > channel.size()) {
                    lengthen(size);
                } else {
                    channel.truncate(size);
                }
            } catch (IOException e) {
                throw new DiskFailure("truncate to " + size, path, e);
            }
        }

        /** One byte lengthens the file; what lies before it takes no space until it is written. */
        private void lengthen(long size) {
            try {
                channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
            } catch (IOException e) {
                throw refusedWrite("truncate to " + size, path, 1, e);
            }
        }

        @Override
        public void sync() {
            try {
                channel.force(false);
            } catch (IOException e) {
                throw new DiskFailure("sync", path, e);
            }
        }

        @Override
        public void renameTo(Path target) {
            try {
                Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
                path = target;
            } catch (IOException e) {
                throw new DiskFailure("rename to " + target.getFileName(), path, e);
            }
        }

        @Override
        public void lock() {
            try {
                RealDisk.lock(channel, path);
            } catch (IOException e) {
                throw new DiskFailure("lock", path, e);
            }
        }

        @Override
        public boolean isLocked() {
            try {
                return RealDisk.isLocked(channel);
            } catch (IOException e) {
                throw new DiskFailure("look for the lock of", path, e);
            }
        }

        @Override
        @SuppressWarnings("MustBeClosedChecker") // the view closes it
        public FileView view(long length) {
            Arena arena = Arena.ofShared();
            try {
                MemorySegment map = channel.map(FileChannel.MapMode.READ_ONLY, 0, length, arena);
                return new RealView(path, map, arena);
            } catch (IOException e) {
                arena.close();
                throw new DiskFailure("map", path, e);
            }
        }

        @Override
        public void close() {
            RealDisk.close(channel, path);
        }
    }

    private record RealView(Path path, MemorySegment map, Arena arena) implements FileView {
        @Override
        public long length() {
            return map.byteSize();
        }

        @Override
        public void read(long position, byte[] target, int offset, int length) {
            if (position < 0 || length > map.byteSize() - position) {
                throw new Damaged(path, position, length + " bytes reach beyond the end of the file");
            }
            try {
                MemorySegment.copy(map, ValueLayout.JAVA_BYTE, position, target, offset, length);
                deliverFault();
            } catch (InternalError e) {
                throw new Damaged(path, position, length + " bytes cannot be read", e);
            }
        }

        /**
         * A fault inside a copy is delivered by the JVM when the thread next asks whether anything is waiting for it, which
         * in compiled code may be long after the copy, in somebody else's method. Coming back from a native method asks.
         */
        private static void deliverFault() {
            boolean _ = Thread.holdsLock(RealView.class);
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
