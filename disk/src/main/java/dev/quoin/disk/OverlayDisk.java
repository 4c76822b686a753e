package dev.quoin.disk;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

import org.jspecify.annotations.Nullable;

/**
 * A disk over another one, which it only reads. What is created, written, renamed or deleted here stays in memory, and is gone
 * with it: so what a start would do to a directory can be done, and what comes of it looked at, while nothing changes.
 *
 * <p>Memory holds the blocks that differ from what lies below and no others: what is written again as it is takes none, nor do
 * zeros behind the end of a file. Directories can be made and deleted, but not renamed. To sync is to do nothing. A lock is not
 * taken: whoever asks for one is refused if another process has it below.
 *
 * <p>One thread owns it, its files and their views. What lies below must not change meanwhile.
 */
public final class OverlayDisk implements Disk {
    /** What a name stands for, where that is not what it stands for below. */
    private sealed interface Node {
        /** Nothing. */
        record Gone() implements Node {}

        /** A directory that was made here. */
        record Made() implements Node {}

        /** A file that was made here, or opened for writing. */
        record Opened(OverlayContents contents) implements Node {}
    }

    private final Disk below;
    /** By their names, made absolute. */
    private final NavigableMap<Path, Node> nodes = new TreeMap<>();

    public OverlayDisk(Disk below) {
        this.below = below;
    }

    private static Path absolute(Path path) {
        return path.toAbsolutePath().normalize();
    }

    private @Nullable Node node(Path path) {
        return nodes.get(absolute(path));
    }

    @Override
    public boolean exists(Path path) {
        return switch (node(path)) {
            case null -> below.exists(path);
            case Node.Gone() -> false;
            case Node.Made(),Node.Opened(_) -> true;
        };
    }

    @Override
    public boolean isDirectory(Path path) {
        return switch (node(path)) {
            case null -> below.isDirectory(path);
            case Node.Made() -> true;
            case Node.Gone(),Node.Opened(_) -> false;
        };
    }

    @Override
    public List<String> list(Path directory) {
        if (!exists(directory)) {
            throw new DiskFailure("list", directory, "no such directory", null);
        }
        Set<String> names = new TreeSet<>();
        if (!(node(directory) instanceof Node.Made)) {
            names.addAll(below.list(directory));
        }
        Path parent = absolute(directory);
        nodes.forEach((path, node) -> {
            if (parent.equals(path.getParent())) {
                String name = path.getFileName().toString();
                switch (node) {
                    case Node.Gone() -> names.remove(name);
                    case Node.Made(),Node.Opened(_) -> names.add(name);
                }
            }
        });
        return List.copyOf(names);
    }

    @Override
    public void createDirectory(Path directory) {
        put("make directory", directory, new Node.Made());
    }

    @Override
    public DiskFile create(Path file) {
        OverlayContents contents = new OverlayContents(null, 0);
        put("create", file, new Node.Opened(contents));
        return new OverlayFile(file, contents);
    }

    private void put(String operation, Path path, Node node) {
        if (exists(path)) {
            throw new DiskFailure(operation, path, "it exists", null);
        }
        nodes.put(absolute(path), node);
    }

    @Override
    public DiskFile open(Path file) {
        return new OverlayFile(file, contents("open", file));
    }

    @Override
    public DiskFile openToRead(Path file) {
        return node(file) == null ? below.openToRead(file) : open(file);
    }

    private OverlayContents contents(String operation, Path file) {
        return switch (node(file)) {
            case null -> {
                OverlayContents contents = new OverlayContents(file, lengthBelow(file));
                nodes.put(absolute(file), new Node.Opened(contents));
                yield contents;
            }
            case Node.Opened(OverlayContents contents) -> contents;
            case Node.Gone(),Node.Made() -> throw new DiskFailure(operation, file, "no such file", null);
        };
    }

    private long lengthBelow(Path file) {
        try (DiskFile open = below.openToRead(file)) {
            return open.size();
        }
    }

    @Override
    public void rename(Path from, Path to) {
        OverlayContents contents = contents("rename to " + to.getFileName(), from);
        nodes.put(absolute(from), new Node.Gone());
        nodes.put(absolute(to), new Node.Opened(contents));
    }

    @Override
    public void delete(Path path) {
        if (!exists(path)) {
            throw new DiskFailure("delete", path, "no such file", null);
        }
        nodes.put(absolute(path), new Node.Gone());
    }

    @Override
    public void syncDirectory(Path directory) {}

    /** What is written here takes none of it. */
    @Override
    public long freeBytes(Path directory) {
        return below.freeBytes(directory);
    }

    @Override
    public DiskLock lock(Path directory) {
        if (isLocked(directory)) {
            throw DiskFailure.inUse(directory);
        }
        return () -> {};
    }

    @Override
    public boolean isLocked(Path directory) {
        return below.isLocked(directory);
    }

    private final class OverlayFile implements DiskFile {
        private Path path;
        private final OverlayContents contents;
        private final @Nullable DiskFile source;

        OverlayFile(Path path, OverlayContents contents) {
            this.path = path;
            this.contents = contents;
            Path file = contents.source();
            source = file == null ? null : below.openToRead(file);
        }

        @Override
        public Path path() {
            return path;
        }

        @Override
        public long size() {
            return contents.size();
        }

        @Override
        public int read(long position, ByteBuffer target) {
            return contents.read(source, position, target);
        }

        @Override
        public int write(long position, ByteBuffer bytes) {
            int length = bytes.remaining();
            contents.write(source, position, bytes);
            return length;
        }

        @Override
        public void truncate(long size) {
            contents.resize(size);
        }

        @Override
        public void sync() {}

        @Override
        public void renameTo(Path target) {
            rename(path, target);
            path = target;
        }

        @Override
        public void lock() {
            if (isLocked()) {
                throw DiskFailure.inUse(path);
            }
        }

        @Override
        public boolean isLocked() {
            return source != null && source.isLocked();
        }

        @Override
        public FileView view(long length) {
            return source != null && contents.isUnchangedTo(length)
                    ? source.view(length)
                    : new OverlayView(new OverlayFile(path, contents), length);
        }

        @Override
        public void close() {
            if (source != null) {
                source.close();
            }
        }
    }

    private record OverlayView(DiskFile file, long length) implements FileView {
        @Override
        public void read(long position, byte[] target, int offset, int count) {
            boolean isInside = position >= 0 && count <= length - position;
            if (!isInside || file.readFully(position, ByteBuffer.wrap(target, offset, count)) < count) {
                throw new Damaged(file.path(), position, count + " bytes reach beyond the end of the file");
            }
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
