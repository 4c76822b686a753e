package dev.quoin.disk.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A file in memory as two states and the way from one to the other: what a reader sees now, what is durable, and the
 * changes in between, in the order in which they were made. A sector's image is never changed once it is made, so the
 * three share them. A sector that is absent is zero.
 */
final class Inode implements Node {
    static final int SECTOR = 512;
    private static final byte[] ZERO = new byte[SECTOR];

    private sealed interface Change {
        @SuppressWarnings("ArrayRecordComponent") // the image never changes, and nobody compares changes
        record Sector(long number, byte[] image) implements Change {
            Sector cutTo(long size) {
                long kept = size - number * SECTOR;
                return kept >= SECTOR ? this : new Sector(number, prefix(image, (int) kept, ZERO));
            }
        }

        record Resize(long size) implements Change {}
    }

    private static final class Content {
        final TreeMap<Long, byte[]> sectors = new TreeMap<>();
        long size;

        void resize(long newSize) {
            if (newSize < size) {
                cutAt(newSize);
            }
            size = newSize;
        }

        /** Forgets what lies behind the end, inside its sector too: a file system shows zeros there when a file grows. */
        private void cutAt(long end) {
            long last = end / SECTOR;
            int kept = (int) (end % SECTOR);
            byte[] image = sectors.get(last);
            sectors.tailMap(last, true).clear();
            if (kept > 0 && image != null) {
                put(last, prefix(image, kept, ZERO));
            }
        }

        void put(long number, byte[] image) {
            sectors.put(number, image);
        }

        byte[] get(long number) {
            return sectors.getOrDefault(number, ZERO);
        }

        Content copy() {
            Content copy = new Content();
            copy.sectors.putAll(sectors);
            copy.size = size;
            return copy;
        }
    }

    private final Content now;
    private Content durable;
    private final List<Change> pending = new ArrayList<>();

    Inode() {
        this(new Content());
    }

    private Inode(Content durable) {
        this.durable = durable;
        now = durable.copy();
    }

    long size() {
        return now.size;
    }

    void read(long position, byte[] target, int offset, int length) {
        for (int done = 0; done < length;) {
            long at = position + done;
            int within = (int) (at % SECTOR);
            int count = Math.min(length - done, SECTOR - within);
            System.arraycopy(now.get(at / SECTOR), within, target, offset + done, count);
            done += count;
        }
    }

    void write(long position, byte[] source) {
        if (position + source.length > now.size) {
            resize(position + source.length);
        }
        for (int done = 0; done < source.length;) {
            long at = position + done;
            int within = (int) (at % SECTOR);
            int count = Math.min(source.length - done, SECTOR - within);
            byte[] image = now.get(at / SECTOR).clone();
            System.arraycopy(source, done, image, within, count);
            now.put(at / SECTOR, image);
            pending.add(new Change.Sector(at / SECTOR, image));
            done += count;
        }
    }

    void resize(long size) {
        now.resize(size);
        pending.add(new Change.Resize(size));
    }

    void sync() {
        for (Change change : pending) {
            apply(durable, change);
        }
        pending.clear();
    }

    /**
     * A sync that failed: some of it may have happened, and what did not may be taken for written from now on. What is
     * written later all the same is each sector as it is now: the page cache keeps no older image of one.
     */
    void failSync(RandomGenerator random) {
        durable = survivor(random);
        TreeMap<Long, Change> newest = new TreeMap<>();
        for (Change change : pending) {
            if (change instanceof Change.Sector sector && sector.number * SECTOR < now.size) {
                newest.put(sector.number, new Change.Sector(sector.number, now.get(sector.number)));
            }
        }
        pending.clear();
        // The length is in the journal, not in the page cache: the next sync that succeeds brings it.
        pending.add(new Change.Resize(now.size));
        if (random.nextBoolean()) {
            pending.addAll(newest.values());
        }
    }

    /** Changes a bit for good, as a disk may do on its own. */
    void corrupt(long position, int mask) {
        for (Content content : List.of(now, durable)) {
            byte[] image = content.get(position / SECTOR).clone();
            image[(int) (position % SECTOR)] ^= (byte) mask;
            content.put(position / SECTOR, image);
        }
    }

    /** What is there after losing power: the durable state and any part of the rest. */
    @Override
    public Inode afterCrash(RandomGenerator random) {
        return new Inode(survivor(random));
    }

    @Override
    public Inode copy() {
        Inode copy = new Inode(durable.copy());
        for (Change change : pending) {
            apply(copy.now, change);
            copy.pending.add(change);
        }
        return copy;
    }

    private Content survivor(RandomGenerator random) {
        Content content = durable.copy();
        // The length is metadata: its changes reach the disk in order. The sectors reach it in any order, if at all.
        int resizes = random.nextInt((int) pending.stream().filter(Change.Resize.class::isInstance).count() + 1);
        double share = List.of(0.0, 0.5, 0.9, 1.0).get(random.nextInt(4));
        List<Change.Sector> survivors = new ArrayList<>();
        for (Change change : pending) {
            switch (change) {
                case Change.Resize(long size) -> {
                    if (resizes > 0) {
                        resizes--;
                        content.resize(size);
                        survivors.removeIf(sector -> sector.number * SECTOR >= size);
                        survivors.replaceAll(sector -> sector.cutTo(size));
                    }
                }
                case Change.Sector sector -> {
                    if (random.nextDouble() < share) {
                        survivors.add(sector);
                    }
                }
            }
        }
        // The images of one sector reach the disk in order; which sector was the last one, and torn, is up to chance.
        int torn = survivors.isEmpty() || random.nextBoolean() ? -1 : random.nextInt(survivors.size());
        for (int i = torn + 1; torn >= 0 && i < survivors.size(); i++) {
            torn = survivors.get(i).number == survivors.get(torn).number ? i : torn;
        }
        for (int i = 0; i < survivors.size(); i++) {
            Change.Sector sector = survivors.get(i);
            byte[] image = i == torn
                    ? prefix(sector.image, random.nextInt(SECTOR), content.get(sector.number))
                    : sector.image;
            content.put(sector.number, image);
        }
        content.cutAt(content.size);
        return content;
    }

    private static void apply(Content content, Change change) {
        switch (change) {
            case Change.Resize(long size) -> content.resize(size);
            case Change.Sector(long number, byte[] image) -> content.put(number, image);
        }
    }

    private static byte[] prefix(byte[] image, int length, byte[] rest) {
        byte[] result = rest.clone();
        System.arraycopy(image, 0, result, 0, length);
        return result;
    }
}
