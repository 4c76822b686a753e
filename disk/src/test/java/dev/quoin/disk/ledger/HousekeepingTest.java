package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Crc32c;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.PowerCut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Giving space back, starting from a checkpoint, and what is said of damage where. */
class HousekeepingTest {
    private static final Path DIRECTORY = Path.of("ledger");
    private static final LedgerLimits LIMITS = new LedgerLimits(4096, 1024, 1 << 20);
    private static final Path CHECKPOINT = DIRECTORY.resolve("checkpoint");

    private final FaultyDisk disk = new FaultyDisk(new Random(1));
    /** What is alive, and what it says. */
    private final TreeMap<Long, Bytes> live = new TreeMap<>();
    private final List<Bytes> images = new ArrayList<>();
    private final List<Long> replayed = new ArrayList<>();
    private long index;
    private Ledger ledger = open(Long.MAX_VALUE).ledger();

    private Ledger.Recovered open(long logReachesBackTo) {
        images.clear();
        replayed.clear();
        return Ledger.open(disk, DIRECTORY, LIMITS, new Ledger.Visitor() {
            @Override
            public void record(long position, long main, int sub, int kind, Bytes payload) {
                replayed.add(position);
            }

            @Override
            public void image(int kind, Bytes payload) {
                images.add(payload.compact());
            }
        }, logReachesBackTo);
    }

    private Ledger.Recovered reopen() {
        ledger.close();
        Ledger.Recovered recovered = open(Long.MAX_VALUE);
        ledger = recovered.ledger();
        return recovered;
    }

    private long put(int size) {
        byte[] data = new byte[size];
        Arrays.fill(data, (byte) index);
        index++;
        long position = ledger.append(index, 0, 1, Bytes.of(data));
        ledger.commit(index, 1, Bytes.utf8("one voter"));
        live.put(position, Bytes.of(data));
        return position;
    }

    private List<Long> put(int count, int size) {
        List<Long> positions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            positions.add(put(size));
        }
        return positions;
    }

    private long forget(long... positions) {
        for (long position : positions) {
            live.remove(position);
        }
        return ledger.forget(positions, positions.length);
    }

    private void checkpoint() {
        CheckpointWriter writer = ledger.checkpoint(ledger.mark());
        writer.add(1, Bytes.utf8("state of " + index));
        writer.add(2, Bytes.EMPTY);
        ledger.flush();
        writer.finish();
    }

    private int rewriteAll(double minDeadShare) {
        int rewrites = 0;
        while (true) {
            Rewrite rewrite = ledger.nextRewrite(minDeadShare, (position, main, sub, kind, payload) -> live
                    .containsKey(position));
            if (rewrite == null) {
                return rewrites;
            }
            for (int steps = 0; !rewrite.step(700); steps++) {
                assertThat(steps).as("steps of a rewrite").isLessThan(1_000);
            }
            rewrites++;
            assertThat(rewrites).as("rewriting comes to an end").isLessThan(1_000);
        }
    }

    private void readAll() {
        live.forEach((position, payload) -> {
            assertThat(ledger.read(position)).isEqualTo(payload);
            assertThat(LedgerTest.inPieces(ledger, position)).isEqualTo(payload);
            assertThat(ledger.payloadLength(position)).isEqualTo(payload.length());
        });
    }

    private List<String> names(String suffix) {
        return disk.list(DIRECTORY).stream().filter(name -> name.endsWith(suffix)).toList();
    }

    private long bytesOnDisk() {
        return disk.list(DIRECTORY).stream().mapToLong(name -> disk.contents(DIRECTORY.resolve(name)).length).sum();
    }

    private long liveBytes() {
        return live.values().stream().mapToLong(payload -> Format.padded(Format.RECORD_HEAD + payload.length())).sum();
    }

    private long checkpointBytes() {
        return disk.exists(CHECKPOINT) ? disk.contents(CHECKPOINT).length : 0;
    }

    // --- giving space back ------------------------------------------------------------------------------------------

    @Test
    void whatIsForgottenIsGivenBackAndTheRestKeepsItsPositions() {
        List<Long> positions = put(400, 100);
        for (int i = 0; i < positions.size(); i++) {
            if (i % 3 != 0) {
                assertThat(forget(positions.get(i))).isEqualTo(128);
            }
        }
        assertThat(ledger.inUseBytes()).isEqualTo(liveBytes());
        assertThat(rewriteAll(0.25)).as("nothing before there is a checkpoint").isZero();
        ledger.flush();
        long before = ledger.totalBytes();
        checkpoint();
        put(5, 100);
        ledger.flush();

        assertThat(rewriteAll(0.25)).isPositive();

        readAll();
        assertThatThrownBy(() -> ledger.read(positions.get(1))).isInstanceOf(Gone.class);
        assertThatThrownBy(() -> ledger.payloadLength(positions.get(1))).isInstanceOf(Gone.class);
        assertThat(forget(positions.get(1))).as("gone already").isZero();
        assertThat(ledger.inUseBytes()).isEqualTo(liveBytes() + checkpointBytes());
        assertThat(ledger.totalBytes()).isLessThan(before / 2);
        assertThat(names(".packed")).isNotEmpty();
        reopen();
        assertThat(images).containsExactly(Bytes.utf8("state of 400"), Bytes.EMPTY);
        assertThat(replayed).as("only what lies behind the checkpoint").hasSize(5);
        readAll();
        assertThat(ledger.inUseBytes()).isEqualTo(liveBytes() + checkpointBytes());
        assertThat(ledger.totalBytes()).isBetween(bytesOnDisk() - LIMITS.segmentBytes(), bytesOnDisk());
        assertThatThrownBy(() -> ledger.read(positions.get(1))).isInstanceOf(Gone.class);
    }

    /** Random lives of records: the bound holds whenever rewriting has nothing left to do, and files stay few. */
    @Test
    void totalStaysWithinItsBoundAndFilesStayFew() {
        for (int seed = 1; seed <= 5; seed++) {
            Random random = new Random(seed);
            for (int round = 0; round < 12; round++) {
                put(150, random.nextInt(300));
                List<Long> there = new ArrayList<>(live.keySet());
                double share = random.nextDouble();
                long[] dead = there.stream().filter(position -> random.nextDouble() < share)
                        .mapToLong(Long::longValue).toArray();
                forget(dead);
                checkpoint();
                // The slack of a real ledger is 64 MiB, in which this one would vanish: the share in need is asked for.
                rewriteAll(0.05);
                String story = "seed " + seed + ", round " + round;
                assertThat(ledger.totalBytes()).as(story).isLessThanOrEqualTo(
                        (long) (1.25 * ledger.inUseBytes()) + 2 * LIMITS.segmentBytes());
                long most = 2 * (4 * liveBytes() / LIMITS.segmentBytes() + 1) + 3;
                assertThat((long) disk.list(DIRECTORY).size()).as(story).isLessThanOrEqualTo(most);
            }
            readAll();
            reopen();
            readAll();
        }
    }

    @Test
    void commitsThatNobodyReplaysAreGivenBackToo() {
        put(300, 8);
        checkpoint();
        assertThat(rewriteAll(0.25)).isPositive();
        readAll();
        assertThat(ledger.totalBytes()).isLessThan(2 * ledger.inUseBytes());
        assertThat(rewriteAll(0.001)).as("and then nothing is left to give back").isZero();
    }

    @Test
    void whereNothingIsAliveNothingIsLeft() {
        List<Long> positions = put(400, 100);
        forget(positions.stream().mapToLong(Long::longValue).toArray());
        put(1, 100);
        checkpoint();
        rewriteAll(0.25);
        assertThat(bytesOnDisk()).isLessThan(3 * LIMITS.segmentBytes());
        assertThat(names(".packed")).hasSize(1);
        readAll();
        reopen();
        readAll();
        assertThatThrownBy(() -> ledger.read(positions.getFirst())).isInstanceOf(Gone.class);
    }

    /** A ledger that came back from before the death would ask for the record again. */
    @Test
    void aDeathCountsOnlyOnceItIsDurable() {
        List<Long> positions = put(200, 100);
        checkpoint();
        forget(positions.stream().mapToLong(Long::longValue).limit(100).toArray());
        put(1, 10);

        Rewrite rewrite = ledger.nextRewrite(0.25, (position, main, sub, kind, payload) -> live.containsKey(position));
        assertThat(rewrite).isNotNull();
        for (int i = 0; i < 1_000; i++) {
            assertThat(rewrite.step(1 << 20)).isFalse();
        }
        assertThat(ledger.read(positions.getFirst())).isNotEqualTo(Bytes.EMPTY);
        ledger.flush();
        assertThat(rewrite.step(1)).isTrue();
        assertThatThrownBy(() -> ledger.read(positions.getFirst())).isInstanceOf(Gone.class);
    }

    @Test
    void whatIsForgottenWhileItIsCopiedCountsAsDeadInTheCopy() {
        List<Long> positions = put(200, 100);
        forget(positions.stream().mapToLong(Long::longValue).limit(20).toArray());
        checkpoint();
        Rewrite rewrite = ledger.nextRewrite(0.25, (position, main, sub, kind, payload) -> live.containsKey(position));
        assertThat(rewrite).isNotNull();
        while (!rewrite.step(3_000)) {
            List<Long> there = new ArrayList<>(live.keySet());
            forget(there.getFirst(), there.get(there.size() / 4), there.getLast());
        }
        assertThat(ledger.inUseBytes()).isEqualTo(liveBytes() + checkpointBytes());
    }

    @Test
    void anAbandonedRewriteLeavesNothing() {
        List<Long> positions = put(200, 100);
        forget(positions.stream().mapToLong(Long::longValue).limit(100).toArray());
        checkpoint();
        List<String> before = disk.list(DIRECTORY);
        Rewrite rewrite = ledger.nextRewrite(0.25, (position, main, sub, kind, payload) -> true);
        assertThat(rewrite).isNotNull();
        rewrite.step(500);
        assertThat(names(".tmp")).hasSize(1);
        rewrite.abandon();
        assertThat(disk.list(DIRECTORY)).isEqualTo(before);
        assertThat(rewriteAll(0.25)).isPositive();
    }

    // --- checkpoints ------------------------------------------------------------------------------------------------

    @Test
    void aCheckpointMustNotBeAheadOfTheFiles() {
        put(3, 10);
        CheckpointWriter writer = ledger.checkpoint(ledger.mark());
        assertThatThrownBy(writer::finish).isInstanceOf(Invariant.Violation.class);
        assertThatThrownBy(() -> ledger.checkpoint(ledger.mark())).isInstanceOf(Invariant.Violation.class)
                .hasMessageContaining("already");
        writer.abandon();
        assertThat(names(".tmp")).isEmpty();
        ledger.append(9, 0, 1, Bytes.EMPTY);
        assertThatThrownBy(ledger::mark).isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void aCheckpointShortensTheReplay() {
        put(100, 100);
        ledger.flush();
        assertThat(ledger.replayBytes()).isEqualTo(ledger.totalBytes());
        checkpoint();
        assertThat(ledger.replayBytes()).isZero();
        put(2, 100);
        ledger.flush();
        assertThat(ledger.replayBytes()).isBetween(2 * 128L, 2 * 256L);
        long replay = ledger.replayBytes();
        reopen();
        assertThat(replayed).hasSize(2);
        assertThat(ledger.replayBytes()).isBetween(replay, replay + 100);
        checkpoint();
        reopen();
        assertThat(replayed).isEmpty();
        assertThat(images).contains(Bytes.utf8("state of 102"));
    }

    /** In its own segment, too. What was forgotten behind it is forgotten again by whoever starts from it. */
    @Test
    void aCheckpointKnowsWhatWasDeadWhenItWasBegun() {
        List<Long> positions = put(105, 100);
        for (int i = 0; i < 105; i += 10) {
            forget(positions.get(i));
        }
        forget(positions.getLast());
        long inUse = liveBytes();
        CheckpointWriter writer = ledger.checkpoint(ledger.mark());
        long later = positions.get(1);
        forget(later);
        put(3, 100);
        long behind = forget(positions.get(2)) + 3 * 128;
        ledger.flush();
        writer.finish();
        assertThat(ledger.inUseBytes()).isEqualTo(liveBytes() + checkpointBytes());
        reopen();
        assertThat(ledger.inUseBytes()).isEqualTo(inUse + 3 * 128 + checkpointBytes());
        assertThat(ledger.forget(new long[]{later, positions.get(2)}, 2)).isEqualTo(behind - 3 * 128 + 128);
        assertThat(ledger.inUseBytes()).isEqualTo(liveBytes() + checkpointBytes());
    }

    @Test
    void aLedgerThatWasCompletedByItsCheckpointIsWholeWithoutOne() {
        put(100, 100);
        checkpoint();
        put(10, 100);
        ledger.close();
        disk.corrupt(CHECKPOINT, disk.contents(CHECKPOINT).length - 10, 1);

        Ledger.Recovered recovered = open(Long.MAX_VALUE);

        ledger = recovered.ledger();
        assertThat(recovered.damage()).singleElement().extracting(Damaged::file).isEqualTo(CHECKPOINT.toString());
        assertThat(images).isEmpty();
        assertThat(replayed).containsExactlyElementsOf(live.keySet());
        checkpoint();
        assertThat(reopen().damage()).isEmpty();
    }

    @Test
    void afterRewritingADamagedOrMissingCheckpointIsRefusedByName() {
        rewritten();
        ledger.close();
        FaultyDisk whole = disk.copy(new Random(2));
        disk.corrupt(CHECKPOINT, 50, 1);
        assertThatThrownBy(() -> open(0)).isInstanceOf(Damaged.class).hasMessageContaining("checkpoint is damaged")
                .hasMessageContaining(Damaged.REMEDY);
        disk.put(CHECKPOINT, whole.contents(CHECKPOINT));
        open(Long.MAX_VALUE).ledger().close();
        disk.delete(CHECKPOINT);
        assertThatThrownBy(() -> open(0)).isInstanceOf(Damaged.class).hasMessageContaining("checkpoint is missing");
    }

    @Test
    void aNewerFormatIsRefusedByName() {
        rewritten();
        ledger.close();
        for (String name : List.of("checkpoint", names(".packed").getFirst())) {
            byte[] bytes = disk.contents(DIRECTORY.resolve(name));
            byte[] newer = bytes.clone();
            Format.putInt(newer, 8, 2);
            Format.putInt(newer, 28, Crc32c.of(newer, 0, 28));
            disk.put(DIRECTORY.resolve(name), newer);
            assertThatThrownBy(() -> open(Long.MAX_VALUE)).isInstanceOf(DiskFailure.class)
                    .hasMessageContaining("format 2 by a newer Quoin");
            disk.put(DIRECTORY.resolve(name), bytes);
        }
        open(Long.MAX_VALUE).ledger().close();
    }

    // --- damage before the mark -------------------------------------------------------------------------------------

    /** Some packed files, some segments, a checkpoint, and a little behind it. */
    private void rewritten() {
        List<Long> positions = put(100, 100);
        for (int i = 0; i < 60; i++) {
            forget(positions.get(i));
        }
        checkpoint();
        rewriteAll(0.25);
        put(200, 1_000);
        checkpoint();
        put(10, 100);
        ledger.flush();
        assertThat(names(".packed")).isNotEmpty();
        assertThat(names(".ledger")).hasSizeGreaterThan(10);
    }

    @Test
    void aFileBeforeTheMarkMayBeShortOrMissing() {
        rewritten();
        ledger.close();
        Path cut = DIRECTORY.resolve(names(".ledger").get(1));
        Path missing = DIRECTORY.resolve(names(".ledger").get(3));
        disk.put(cut, Arrays.copyOf(disk.contents(cut), 1_100));
        disk.delete(missing);

        Ledger.Recovered recovered = open(Long.MAX_VALUE);

        ledger = recovered.ledger();
        assertThat(recovered.damage()).extracting(Damaged::file).containsExactlyInAnyOrder(cut.toString(),
                missing.toString());
        int unreadable = 0;
        for (long position : live.keySet()) {
            try {
                assertThat(ledger.read(position)).isEqualTo(live.get(position));
            } catch (Damaged damage) {
                assertThat(damage.file()).isIn(cut.toString(), missing.toString());
                assertThatThrownBy(() -> ledger.payloadLength(position)).isInstanceOf(Damaged.class);
                assertThat(ledger.forget(new long[]{position}, 1)).isZero();
                unreadable++;
            }
        }
        assertThat(unreadable).isBetween(5, 9);
        List<Damaged> found = scrub();
        assertThat(found).extracting(Damaged::file).contains(cut.toString());
        rewriteAll(0.01);
        assertThat(disk.exists(cut)).as("what cannot be read is not given up").isTrue();
    }

    /** Whoever starts from a checkpoint forgets again what was forgotten since, and some of it is gone by then. */
    @Test
    void whatIsForgottenAgainAndGoneMakesNoFileDue() {
        List<Long> positions = put(400, 8);
        long[] dead = positions.stream().filter(position -> position % 3 != 0).mapToLong(Long::longValue).toArray();
        forget(dead);
        checkpoint();
        assertThat(rewriteAll(0.02)).isPositive();
        long inUse = ledger.inUseBytes();

        ledger.forget(dead, dead.length);

        assertThat(rewriteAll(0.02)).isZero();
        assertThat(ledger.inUseBytes()).isGreaterThan(inUse - 2 * 4_096);
    }

    /** What is left of it looks whole. Rewritten, its lost records would be gone instead of damaged. */
    @Test
    void aFileCutBetweenTwoRecordsIsNotPacked() {
        List<Long> positions = put(200, 100);
        for (int i = 0; i < 100; i++) {
            forget(positions.get(i));
        }
        checkpoint();
        ledger.close();
        long lost = positions.get(150);
        Path file = DIRECTORY.resolve(FileName.segment(Format.segment(lost)));
        disk.put(file, Arrays.copyOf(disk.contents(file), (int) Format.offset(lost)));

        Ledger.Recovered recovered = open(Long.MAX_VALUE);

        ledger = recovered.ledger();
        assertThat(recovered.damage()).singleElement().extracting(Damaged::file).isEqualTo(file.toString());
        assertThat(rewriteAll(0.01)).isPositive();
        assertThatThrownBy(() -> ledger.read(lost)).isInstanceOf(Damaged.class);
        assertThat(scrub()).extracting(Damaged::file).containsOnly(file.toString());
    }

    @Test
    void aPackedFileWithoutItsTableIsNamedAndTheRestIsServed() {
        rewritten();
        ledger.close();
        Path packed = DIRECTORY.resolve(names(".packed").getFirst());
        disk.corrupt(packed, disk.contents(packed).length - 100, 1);

        Ledger.Recovered recovered = open(Long.MAX_VALUE);

        ledger = recovered.ledger();
        assertThat(recovered.damage()).extracting(Damaged::file).containsExactly(packed.toString());
        assertThatThrownBy(() -> ledger.read(live.firstKey())).isInstanceOf(Damaged.class)
                .hasMessageContaining(packed.toString());
        assertThat(ledger.read(live.lastKey())).isEqualTo(live.lastEntry().getValue());
        rewriteAll(0.01);
        assertThat(disk.exists(packed)).isTrue();
    }

    @Test
    void aDamagedRecordIsCopiedAsItIs() {
        List<Long> positions = put(100, 100);
        checkpoint();
        for (int i = 0; i < 60; i++) {
            forget(positions.get(i));
        }
        long rotten = positions.get(65);
        disk.corrupt(DIRECTORY.resolve(FileName.segment(Format.segment(rotten))), Format.offset(rotten) + 40, 1);

        assertThat(rewriteAll(0.25)).isPositive();

        live.remove(rotten);
        readAll();
        assertThatThrownBy(() -> ledger.read(rotten)).isInstanceOf(Damaged.class).hasMessageContaining(".packed");
        assertThat(scrub()).singleElement().extracting(Damaged::file).asString().endsWith(".packed");
        reopen();
        readAll();
        assertThatThrownBy(() -> ledger.read(rotten)).isInstanceOf(Damaged.class);
    }

    @Test
    void aSegmentInWhichPlacesAreNotCertainIsLeftAlone() {
        List<Long> positions = put(100, 100);
        checkpoint();
        for (int i = 0; i < 60; i++) {
            forget(positions.get(i));
        }
        long rotten = positions.get(2);
        Path file = DIRECTORY.resolve(FileName.segment(Format.segment(rotten)));
        disk.corrupt(file, Format.offset(rotten) + 5, 1);

        rewriteAll(0.25);

        assertThat(disk.exists(file)).isTrue();
        readAll();
        assertThat(names(".tmp")).isEmpty();
    }

    /** With records of one length a single bit leads over the next one to the one behind it. */
    @Test
    void aRecordIsNotLostInTheOneBeforeIt() {
        List<Long> positions = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            positions.add(ledger.append(1, i, 1, Bytes.of(new byte[100])));
        }
        index = 1;
        ledger.commit(1, 1, Bytes.EMPTY);
        positions.forEach(position -> live.put(position, Bytes.of(new byte[100])));
        put(10, 1_000);
        checkpoint();
        forget(positions.stream().mapToLong(Long::longValue).limit(40).toArray());
        long leading = positions.get(60);
        disk.corrupt(DIRECTORY.resolve("00000001.ledger"), Format.offset(leading) + 4, 0x80);

        rewriteAll(0.25);

        live.remove(leading);
        readAll();
        assertThatThrownBy(() -> ledger.read(leading)).isInstanceOf(Damaged.class);
    }

    // --- scrubbing --------------------------------------------------------------------------------------------------

    private List<Damaged> scrub() {
        List<Damaged> found = new ArrayList<>();
        Scrub scrub = ledger.scrub(found::add);
        for (int steps = 0; !scrub.step(1_000); steps++) {
            assertThat(steps).isLessThan(10_000);
        }
        return found;
    }

    @Test
    void scrubbingFindsEachDamageOnce() {
        rewritten();
        assertThat(scrub()).isEmpty();
        Path packed = DIRECTORY.resolve(names(".packed").getFirst());
        Path segment = DIRECTORY.resolve(names(".ledger").get(2));
        disk.corrupt(packed, 100, 1);
        disk.corrupt(packed, disk.contents(packed).length - 20, 1);
        disk.corrupt(segment, 100, 1);
        disk.corrupt(segment, 1_500, 1);
        disk.corrupt(CHECKPOINT, 60, 1);
        List<Damaged> found = scrub();
        assertThat(found).extracting(Damaged::file).containsExactlyInAnyOrder(packed.toString(), packed.toString(),
                segment.toString(), segment.toString(), CHECKPOINT.toString());
        assertThat(found.get(0).offset()).isPositive();
    }

    @Test
    void aFileThatRewritingDeletesUnderAScrubIsNoDamage() {
        List<Long> positions = put(200, 100);
        checkpoint();
        List<Damaged> found = new ArrayList<>();
        Scrub scrub = ledger.scrub(found::add);
        scrub.step(500);
        forget(positions.stream().mapToLong(Long::longValue).limit(150).toArray());
        ledger.flush();
        assertThat(rewriteAll(0.25)).isPositive();
        for (int steps = 0; !scrub.step(1_000); steps++) {
            assertThat(steps).isLessThan(10_000);
        }
        assertThat(found).isEmpty();
    }

    // --- damage behind the mark -------------------------------------------------------------------------------------

    @Test
    void damageBehindTheMarkIsCutOffIfTheLogHasTheRest() {
        rewritten();
        checkpoint();
        long marked = index;
        List<Long> behind = put(100, 100);
        ledger.close();
        long rotten = behind.get(50);
        Path file = DIRECTORY.resolve(FileName.segment(Format.segment(rotten)));
        disk.corrupt(file, Format.offset(rotten) + 30, 1);
        byte[] damaged = disk.contents(file);
        List<String> before = disk.list(DIRECTORY);

        assertThatThrownBy(() -> open(Long.MAX_VALUE)).isInstanceOf(Damaged.class);
        assertThatThrownBy(() -> open(marked + 51)).as("the log begins too late").isInstanceOf(Damaged.class);
        assertThat(disk.list(DIRECTORY)).as("nothing was changed").isEqualTo(before);
        Ledger.Recovered recovered = open(marked + 50);

        ledger = recovered.ledger();
        assertThat(recovered.repaired()).contains(file.toString()).contains("applied index " + (marked + 50));
        assertThat(recovered.last()).isNotNull().extracting(Ledger.Commit::appliedIndex).isEqualTo(marked + 50);
        assertThat(replayed).containsExactlyElementsOf(behind.subList(0, 50));
        assertThat(disk.contents(DIRECTORY.resolve(file.getFileName() + ".damaged"))).isEqualTo(damaged);
        assertThat(names(".damaged")).hasSizeGreaterThan(1);
        behind.subList(50, 100).forEach(live::remove);
        index = marked + 50;
        readAll();
        put(100, 100);
        assertThat(reopen().repaired()).isNull();
        readAll();
    }

    @Test
    void withoutACheckpointTheWholeLedgerMayBeCutAway() {
        put(100, 100);
        ledger.close();
        disk.corrupt(DIRECTORY.resolve("00000001.ledger"), 40, 1);
        Ledger.Recovered recovered = open(0);
        ledger = recovered.ledger();
        assertThat(recovered.last()).isNull();
        assertThat(recovered.repaired()).contains("00000001.ledger");
        live.clear();
        index = 0;
        put(100, 100);
        assertThat(reopen().repaired()).isNull();
        readAll();
    }

    /** Records died between the last good batch and the damage, and are gone: applying the entries again may need them. */
    @Test
    void whatWasGivenUpSinceIsNotCutBehind() {
        List<Long> positions = put(200, 100);
        checkpoint();
        List<Long> behind = put(20, 100);
        forget(positions.stream().mapToLong(Long::longValue).limit(150).toArray());
        put(1, 100);
        ledger.flush();
        assertThat(rewriteAll(0.25)).isPositive();
        ledger.close();
        long rotten = behind.get(10);
        disk.corrupt(DIRECTORY.resolve(FileName.segment(Format.segment(rotten))), Format.offset(rotten) + 30, 1);
        assertThatThrownBy(() -> open(0)).isInstanceOf(Damaged.class);
    }

    /** Nobody knows how far the ledger reached when it was made. */
    @Test
    void nothingIsCutBesideAPackedFileThatCannotBeRead() {
        rewritten();
        long last = put(100);
        put(100);
        ledger.close();
        Path packed = DIRECTORY.resolve(names(".packed").getFirst());
        disk.corrupt(DIRECTORY.resolve(FileName.segment(Format.segment(last))), Format.offset(last) + 30, 1);
        FaultyDisk before = disk.copy(new Random(1));
        disk.corrupt(packed, disk.contents(packed).length - 20, 1);
        assertThatThrownBy(() -> open(0)).isInstanceOf(Damaged.class);
        assertThat(Ledger.open(before, DIRECTORY, LIMITS, recorder(new ArrayList<>()), 0).repaired()).isNotNull();
    }

    /** The new file has the name of the old one already, and nobody knows whether for good. */
    @Test
    void aSwapThatFailsHalfWayIsNotUndone() {
        List<Long> positions = put(100, 100);
        forget(positions.stream().mapToLong(Long::longValue).limit(40).toArray());
        checkpoint();
        rewriteAll(0.01);
        forget(positions.stream().mapToLong(Long::longValue).skip(40).limit(26).filter(position -> position % 16 == 0)
                .toArray());
        List<String> packed = names(".packed");
        Rewrite rewrite = ledger.nextRewrite(0.25, (position, main, sub, kind, payload) -> live.containsKey(position));
        assertThat(rewrite).isNotNull();
        assertThat(rewrite.step(Integer.MAX_VALUE)).isFalse();
        disk.fail(1, FaultyDisk.Operation.SYNC_DIRECTORY);
        assertThatThrownBy(() -> rewrite.step(1)).isInstanceOf(DiskFailure.class);
        assertThat(names(".packed")).as("it is replaced by name").isEqualTo(packed);
        reopen();
        readAll();

        CheckpointWriter writer = ledger.checkpoint(ledger.mark());
        disk.fail(1, FaultyDisk.Operation.SYNC_DIRECTORY);
        assertThatThrownBy(writer::finish).isInstanceOf(DiskFailure.class);
        reopen();
        readAll();
    }

    /** A tail that is missing altogether leaves no proof in its own file. */
    @Test
    void aLedgerThatEndsBeforeWhatWasActedUponIsRefused() {
        List<Long> positions = put(200, 100);
        checkpoint();
        forget(positions.stream().mapToLong(Long::longValue).limit(150).toArray());
        long lost = put(100);
        ledger.flush();
        rewriteAll(0.25);
        ledger.close();
        Path file = DIRECTORY.resolve(FileName.segment(Format.segment(lost)));
        disk.put(file, Arrays.copyOf(disk.contents(file), (int) Format.offset(lost)));
        assertThatThrownBy(() -> open(0)).isInstanceOf(Damaged.class).hasMessageContaining("had been longer");
    }

    /** Power goes at every operation of a repair; whatever it leaves, the next start ends where that one wanted to. */
    @Test
    void powerMayGoWhileTheLedgerIsCut() {
        put(20, 100);
        checkpoint();
        long marked = index;
        List<Long> behind = put(80, 100);
        ledger.close();
        long rotten = behind.get(15);
        Path file = DIRECTORY.resolve(FileName.segment(Format.segment(rotten)));
        disk.corrupt(file, Format.offset(rotten) + 30, 1);
        byte[] damaged = disk.contents(file);
        int cuts = 0;
        for (int n = 1; n < 60; n++) {
            for (int outcome = 0; outcome < 8; outcome++) {
                FaultyDisk first = disk.copy(new Random(n));
                first.cutPowerBefore(n, FaultyDisk.Operation.CHANGES.toArray(FaultyDisk.Operation[]::new));
                try {
                    Ledger.open(first, DIRECTORY, LIMITS, recorder(new ArrayList<>()), 0);
                    first.cutPower();
                } catch (PowerCut expected) {
                    cuts++;
                }
                FaultyDisk second = first.afterCrash(new Random(100L * n + outcome));
                List<Long> found = new ArrayList<>();
                Ledger.Recovered recovered = Ledger.open(second, DIRECTORY, LIMITS, recorder(found), 0);
                assertThat(recovered.last()).isNotNull().extracting(Ledger.Commit::appliedIndex)
                        .isEqualTo(marked + 15);
                assertThat(found).containsExactlyElementsOf(behind.subList(0, 15));
                assertThat(second.list(DIRECTORY).stream().filter(name -> name.contains(".damaged"))
                        .anyMatch(name -> Arrays.equals(second.contents(DIRECTORY.resolve(name)), damaged))).isTrue();
                recovered.ledger().close();
            }
        }
        assertThat(cuts).isGreaterThan(80);
    }

    private static Ledger.Visitor recorder(List<Long> found) {
        return new Ledger.Visitor() {
            @Override
            public void record(long position, long main, int sub, int kind, Bytes payload) {
                found.add(position);
            }

            @Override
            public void image(int kind, Bytes payload) {}
        };
    }
}
