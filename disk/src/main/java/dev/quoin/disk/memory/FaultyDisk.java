package dev.quoin.disk.memory;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.FileView;

/**
 * A disk in memory, with the faults of a real one, all of them drawn from the generator given in.
 *
 * <ul>
 * <li>Losing power ({@link #cutPowerBefore}, {@link #cutPowerAfter}, {@link #cutPower}) keeps what was synced and, of the
 * rest, any subset of the 512-byte sectors in any order, the last one possibly torn inside. Of the names that were created,
 * renamed and deleted without a sync of their directory it keeps any number, in order.
 * <li>An operation fails ({@link #fail}): it may have happened in part. After a failed sync, what was not written may
 * be taken for written: the next sync succeeds without it.
 * <li>Reads and writes may be short.
 * <li>Bits rot ({@link #corrupt}).
 * </ul>
 *
 * <p>Operations are counted, so that a test can do the same work again with a fault at every single one of them.
 * Synchronised, for a disk is what the threads of a process share; a run is only as deterministic as they are.
 */
public final class FaultyDisk implements Disk {
    /** What can be counted and made to fail. */
    public enum Operation {
        LIST, CREATE_DIRECTORY, CREATE, OPEN, READ, WRITE, TRUNCATE, SYNC, RENAME, DELETE, SYNC_DIRECTORY, LOCK;

        /** Those that change something: losing power at any other one is nothing new. */
        public static final Set<Operation> CHANGES = Set.copyOf(EnumSet.of(CREATE_DIRECTORY, CREATE, WRITE, TRUNCATE,
                SYNC, RENAME, DELETE, SYNC_DIRECTORY));
    }

    private enum Fault {
        FAIL, CUT_BEFORE, CUT_AFTER
    }

    /** The fault that hits the operation after {@code countdown} more of {@code operations}. */
    private static final class Plan {
        final Fault fault;
        final Set<Operation> operations;
        long countdown;

        Plan(Fault fault, Set<Operation> operations, long n) {
            Invariant.check(n >= 1, "operations are counted from 1, not %d", n);
            this.fault = fault;
            this.operations = operations;
            this.countdown = n;
        }
    }

    private final RandomGenerator random;
    private final Map<Operation, Long> counts = new EnumMap<>(Operation.class);
    private final Set<Object> locked = new HashSet<>();
    private Directory root;
    private boolean shortTransfers = true;
    private boolean powerless;
    private boolean full;
    private long freeBytes = Long.MAX_VALUE;
    private @Nullable Plan plan;
    /** Handles of an earlier life are dead. */
    private int life;

    public FaultyDisk(RandomGenerator random) {
        this(random, new Directory());
    }

    private FaultyDisk(RandomGenerator random, Directory root) {
        this.random = random;
        this.root = root;
    }

    // --- what a test does to it -------------------------------------------------------------------------------------

    /** Whether reads and writes may transfer fewer bytes than they could; on unless switched off. */
    public synchronized void shortTransfers(boolean on) {
        shortTransfers = on;
    }

    /** The {@code n}-th (from 1) of these operations from now on fails; of all operations, if none are named. */
    public synchronized void fail(long n, Operation... operations) {
        plan = new Plan(Fault.FAIL, setOf(operations), n);
    }

    /** Power goes before the {@code n}-th of these operations, which does not happen, or in part if it is a write. */
    public synchronized void cutPowerBefore(long n, Operation... operations) {
        plan = new Plan(Fault.CUT_BEFORE, setOf(operations), n);
    }

    /** Power goes right after the {@code n}-th of these operations. */
    public synchronized void cutPowerAfter(long n, Operation... operations) {
        plan = new Plan(Fault.CUT_AFTER, setOf(operations), n);
    }

    /** Whatever fault is planned will not come. */
    public synchronized void forgetPlan() {
        plan = null;
    }

    /** Whether the disk is full: no file can be created, and none can grow. */
    public synchronized void full(boolean isFull) {
        full = isFull;
    }

    /** Whether a fault is planned that has not come yet. */
    public synchronized boolean isFaultPlanned() {
        return plan != null;
    }

    public synchronized void cutPower() {
        powerless = true;
    }

    public synchronized boolean powerless() {
        return powerless;
    }

    /** Starts the machine again after (or by) losing power. Open files are gone, planned faults too. */
    public synchronized void restart() {
        root = root.afterCrash(random);
        restartProcess();
    }

    /** The process died and starts again, the machine did not: everything written is there, open files are gone. */
    public synchronized void restartProcess() {
        powerless = false;
        plan = null;
        locked.clear();
        life++;
    }

    /** One of the disks that losing power now can leave behind; this one stays as it is. */
    public synchronized FaultyDisk afterCrash(RandomGenerator generator) {
        return new FaultyDisk(generator, root.afterCrash(generator));
    }

    /** The same disk again, unsynced changes included; without its open files, locks, counts and planned faults. */
    public synchronized FaultyDisk copy(RandomGenerator generator) {
        return new FaultyDisk(generator, root.copy());
    }

    /** Flips the bits of {@code mask} in one byte, for good. */
    public synchronized void corrupt(Path file, long position, int mask) {
        inode("corrupt", file).corrupt(position, mask);
    }

    public synchronized byte[] contents(Path file) {
        Inode inode = inode("read", file);
        byte[] bytes = new byte[(int) inode.size()];
        inode.read(0, bytes, 0, bytes.length);
        return bytes;
    }

    /** Puts a durable file there, replacing one of that name. */
    public synchronized void put(Path file, byte[] bytes) {
        Inode inode = new Inode();
        inode.write(0, bytes);
        inode.sync();
        Directory parent = parent("put", file);
        parent.add(name(file), inode);
        parent.sync();
    }

    /** How many operations there were so far: of these, or of all if none are named. */
    public synchronized long operations(Operation... operations) {
        return setOf(operations).stream().mapToLong(operation -> counts.getOrDefault(operation, 0L)).sum();
    }

    private static Set<Operation> setOf(Operation... operations) {
        return operations.length == 0 ? EnumSet.allOf(Operation.class) : Set.of(operations);
    }

    // --- the disk ---------------------------------------------------------------------------------------------------

    @Override
    public synchronized boolean exists(Path path) {
        checkPower("exists");
        return find(path) != null;
    }

    @Override
    public synchronized boolean isDirectory(Path path) {
        checkPower("look for");
        return find(path) instanceof Directory;
    }

    @Override
    public List<String> list(Path directory) {
        return perform(Operation.LIST, directory, () -> directory("list", directory).names());
    }

    @Override
    public void createDirectory(Path directory) {
        perform(Operation.CREATE_DIRECTORY, directory, () -> add("make directory", directory, new Directory()));
    }

    @Override
    public DiskFile create(Path file) {
        return perform(Operation.CREATE, file, () -> {
            checkRoom(Operation.CREATE, file, full);
            return new MemoryFile(file, add("create", file, new Inode()));
        });
    }

    @Override
    public DiskFile open(Path file) {
        return perform(Operation.OPEN, file, () -> new MemoryFile(file, inode("open", file)));
    }

    @Override
    public void rename(Path from, Path to) {
        perform(Operation.RENAME, from, () -> {
            Directory parent = parent("rename", from);
            if (parent != parent("rename", to)) {
                throw new DiskFailure("rename", from, "not within one directory", null);
            }
            if (parent.get(name(from)) == null) {
                throw new DiskFailure("rename", from, "no such file", null);
            }
            parent.rename(name(from), name(to));
            return this;
        });
    }

    @Override
    public void delete(Path path) {
        perform(Operation.DELETE, path, () -> {
            Node node = find(path);
            if (node == null) {
                throw new DiskFailure("delete", path, "no such file", null);
            }
            if (node instanceof Directory directory && !directory.names().isEmpty()) {
                throw new DiskFailure("delete", path, "directory not empty", null);
            }
            parent("delete", path).remove(name(path));
            return this;
        });
    }

    @Override
    public void syncDirectory(Path directory) {
        perform(Operation.SYNC_DIRECTORY, directory, () -> {
            directory("sync directory", directory).sync();
            return this;
        });
    }

    @Override
    public DiskLock lock(Path directory) {
        return perform(Operation.LOCK, directory, () -> {
            Directory node = directory("lock", directory);
            lock(node, directory);
            return () -> unlock(node);
        });
    }

    /** As {@link #leaveFree} has said, whatever is written; without that, as much as anybody could want. */
    @Override
    public synchronized long freeBytes(Path directory) {
        checkPower("look for room in " + directory);
        return freeBytes;
    }

    /** What {@link #freeBytes} is to say. */
    public synchronized void leaveFree(long bytes) {
        freeBytes = bytes;
    }

    @Override
    public synchronized boolean isLocked(Path directory) {
        Node node = find(directory);
        return node != null && locked.contains(node);
    }

    private void lock(Object node, Path name) {
        if (!locked.add(node)) {
            throw DiskFailure.inUse(name);
        }
    }

    private synchronized void unlock(Object node) {
        locked.remove(node);
    }

    private <T> T perform(Operation operation, Path path, Supplier<T> action) {
        return perform(operation, path, action, () -> {});
    }

    /** Counts, lets the planned fault happen if it is due, and else does it. {@code inPart} is half of a failure. */
    private synchronized <T> T perform(Operation operation, Path path, Supplier<T> action, Runnable inPart) {
        checkPower(operation + " of " + path);
        counts.merge(operation, 1L, Long::sum);
        Fault fault = due(operation);
        if (fault == Fault.FAIL) {
            inPart.run();
            if (operation == Operation.WRITE || operation == Operation.CREATE) {
                throw DiskFailure.refusedWrite(operation.name(), path, "a planned fault");
            }
            throw new DiskFailure(operation.name(), path, "a planned fault", null);
        }
        if (fault == Fault.CUT_BEFORE) {
            if (operation == Operation.WRITE) {
                inPart.run();
            }
            powerless = true;
            throw new PowerCut(operation + " of " + path);
        }
        T result = action.get();
        if (fault == Fault.CUT_AFTER) {
            powerless = true;
            throw new PowerCut("the end of " + operation + " of " + path);
        }
        return result;
    }

    private @Nullable Fault due(Operation operation) {
        Plan current = plan;
        if (current == null || !current.operations.contains(operation)) {
            return null;
        }
        current.countdown--;
        if (current.countdown > 0) {
            return null;
        }
        plan = null;
        return current.fault;
    }

    private void checkPower(String operation) {
        if (powerless) {
            throw new PowerCut(operation);
        }
    }

    private static void checkRoom(Operation operation, Path path, boolean isMissing) {
        if (isMissing) {
            throw DiskFailure.noSpace(operation.name(), path, "the disk is full");
        }
    }

    // --- names ------------------------------------------------------------------------------------------------------

    private @Nullable Node find(Path path) {
        Node node = root;
        for (Path element : path) {
            if (element.toString().isEmpty()) {
                continue;
            }
            node = node instanceof Directory directory ? directory.get(element.toString()) : null;
            if (node == null) {
                return null;
            }
        }
        return node;
    }

    private Directory directory(String operation, Path path) {
        if (find(path) instanceof Directory directory) {
            return directory;
        }
        throw new DiskFailure(operation, path, "no such directory", null);
    }

    private Directory parent(String operation, Path path) {
        Path parent = path.getParent();
        return parent == null ? root : directory(operation, parent);
    }

    private Inode inode(String operation, Path path) {
        if (find(path) instanceof Inode inode) {
            return inode;
        }
        throw new DiskFailure(operation, path, "no such file", null);
    }

    private <N extends Node> N add(String operation, Path path, N node) {
        Directory parent = parent(operation, path);
        if (parent.get(name(path)) != null) {
            throw new DiskFailure(operation, path, "it exists", null);
        }
        parent.add(name(path), node);
        return node;
    }

    private static String name(Path path) {
        return path.getFileName().toString();
    }

    // --- open files -------------------------------------------------------------------------------------------------

    private int transfer(int wanted) {
        return shortTransfers && wanted > 1 && random.nextInt(8) == 0 ? 1 + random.nextInt(wanted - 1) : wanted;
    }

    private final class MemoryFile implements DiskFile {
        private Path path;
        private final Inode inode;
        private final int born = life;
        private boolean open = true;
        private boolean hasLock;

        MemoryFile(Path path, Inode inode) {
            this.path = path;
            this.inode = inode;
        }

        @Override
        public Path path() {
            return path;
        }

        @Override
        public long size() {
            synchronized (FaultyDisk.this) {
                checkPower("size of " + path);
                checkOpen("size");
                return inode.size();
            }
        }

        @Override
        public int read(long position, ByteBuffer target) {
            return perform(Operation.READ, path, () -> {
                checkOpen("read");
                if (position >= inode.size()) {
                    return -1;
                }
                byte[] bytes = new byte[transfer((int) Math.min(target.remaining(), inode.size() - position))];
                inode.read(position, bytes, 0, bytes.length);
                target.put(bytes);
                return bytes.length;
            });
        }

        @Override
        public int write(long position, ByteBuffer source) {
            return perform(Operation.WRITE, path, () -> {
                checkOpen("write");
                checkRoom(Operation.WRITE, path, full && position + source.remaining() > inode.size());
                byte[] bytes = new byte[transfer(source.remaining())];
                source.get(bytes);
                inode.write(position, bytes);
                return bytes.length;
            }, () -> {
                byte[] bytes = new byte[random.nextInt(source.remaining() + 1)];
                source.get(source.position(), bytes);
                inode.write(position, bytes);
            });
        }

        @Override
        public void truncate(long size) {
            perform(Operation.TRUNCATE, path, () -> {
                checkOpen("truncate");
                checkRoom(Operation.TRUNCATE, path, full && size > inode.size());
                inode.resize(size);
                return this;
            });
        }

        @Override
        public void sync() {
            perform(Operation.SYNC, path, () -> {
                checkOpen("sync");
                inode.sync();
                return this;
            }, () -> inode.failSync(random));
        }

        @Override
        public void renameTo(Path target) {
            checkOpen("rename");
            rename(path, target);
            path = target;
        }

        @Override
        public void lock() {
            perform(Operation.LOCK, path, () -> {
                checkOpen("lock");
                FaultyDisk.this.lock(inode, path);
                hasLock = true;
                return this;
            });
        }

        @Override
        public boolean isLocked() {
            synchronized (FaultyDisk.this) {
                return locked.contains(inode);
            }
        }

        @Override
        public FileView view(long length) {
            return perform(Operation.OPEN, path, () -> {
                checkOpen("map");
                if (length > inode.size()) {
                    throw new DiskFailure("map", path, "the file is shorter", null);
                }
                return new MemoryView(path, inode, length, born);
            });
        }

        @Override
        public void close() {
            open = false;
            if (hasLock) {
                hasLock = false;
                unlock(inode);
            }
        }

        private void checkOpen(String operation) {
            if (!open) {
                throw new DiskFailure(operation, path, "the file was closed", null);
            }
            if (born != life) {
                throw new PowerCut(operation + " of a file opened before the restart");
            }
        }
    }

    private final class MemoryView implements FileView {
        private final Path path;
        private final Inode inode;
        private final long length;
        private final int born;
        private volatile boolean open = true;

        MemoryView(Path path, Inode inode, long length, int born) {
            this.path = path;
            this.inode = inode;
            this.length = length;
            this.born = born;
        }

        @Override
        public long length() {
            return length;
        }

        /** A planned failure of a read is what a page fault on a bad sector is on a real disk. */
        @Override
        public void read(long position, byte[] target, int offset, int count) {
            if (!open) {
                throw new IllegalStateException("a view of " + path + " is read after it was closed");
            }
            if (position < 0 || count > length - position) {
                throw new Damaged(path, position, count + " bytes reach beyond the end of the file");
            }
            try {
                perform(Operation.READ, path, () -> {
                    if (born != life) {
                        throw new PowerCut("read of a view from before the restart");
                    }
                    if (position + count > inode.size()) {
                        throw new Damaged(path, position, count + " bytes cannot be read");
                    }
                    inode.read(position, target, offset, count);
                    return this;
                });
            } catch (DiskFailure e) {
                throw new Damaged(path, position, count + " bytes cannot be read", e);
            }
        }

        @Override
        public void close() {
            if (!open) {
                throw new IllegalStateException("a view of " + path + " is closed twice");
            }
            open = false;
        }
    }
}
