package dev.quoin.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

import org.jspecify.annotations.Nullable;

/**
 * A file that log lines are appended to. If it rotates: before it would become too long it is renamed, to
 * {@code NAME-2026-11-30T03-40-00.000.log}, and begun anew; old ones are then packed and deleted, as lumberjack does it,
 * which etcd uses. A line that cannot be written is lost, and the next is tried again: a full disk must not end a member
 * that has its data elsewhere.
 *
 * <p>For one thread at a time.
 */
final class LogFile implements LogSink {
    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH-mm-ss.SSS",
            Locale.ROOT);
    private static final String STAMP_FORM = "\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\d\\.\\d{3}";
    private static final String PACKED = ".gz";

    private final Path file;
    private final LogConfig.@Nullable Rotation rotation;
    private OutputStream out;
    private long bytes;

    private LogFile(Path file, LogConfig.@Nullable Rotation rotation, OutputStream out, long bytes) {
        this.file = file;
        this.rotation = rotation;
        this.out = out;
        this.bytes = bytes;
    }

    /** Opens the file, or makes it. */
    static LogFile open(Path file, LogConfig.@Nullable Rotation rotation) throws IOException {
        Path parent = file.toAbsolutePath().getParent();
        if (rotation != null && parent != null) {
            Files.createDirectories(parent);
        }
        return new LogFile(file, rotation, append(file), Files.size(file));
    }

    private static OutputStream append(Path file) throws IOException {
        return Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @Override
    public void write(byte[] line, LogLevel level) {
        try {
            writeOrFail(line);
        } catch (IOException failed) {
            writeAnew(line);
        }
    }

    private void writeOrFail(byte[] line) throws IOException {
        if (rotation != null && line.length > rotation.fileBytesMax()) {
            return;
        }
        if (rotation != null && bytes + line.length > rotation.fileBytesMax()) {
            rotate(rotation, Instant.now());
        }
        out.write(line);
        bytes += line.length;
    }

    /** Opens the file again, which may have gone with its directory. */
    private void writeAnew(byte[] line) {
        try {
            out.close();
            out = append(file);
            bytes = Files.size(file);
            out.write(line);
            bytes += line.length;
        } catch (IOException lost) {
            return; // as the comment of the class says
        }
    }

    private void rotate(LogConfig.Rotation rotation, Instant now) throws IOException {
        out.close();
        try {
            Files.move(file, backup(rotation, now));
        } catch (NoSuchFileException taken) {
            bytes = 0; // somebody moved it away: that is as good
        }
        out = append(file);
        bytes = 0;
        Thread.ofVirtual().name("log-backups").start(() -> tidy(rotation, now));
    }

    private Path backup(LogConfig.Rotation rotation, Instant now) {
        ZoneId zone = rotation.isLocalTime() ? ZoneId.systemDefault() : ZoneOffset.UTC;
        return file.resolveSibling(stem() + "-" + STAMP.withZone(zone).format(now) + extension());
    }

    private String name() {
        return file.getFileName().toString();
    }

    private String extension() {
        int dot = name().lastIndexOf('.');
        return dot < 0 ? "" : name().substring(dot);
    }

    private String stem() {
        return name().substring(0, name().length() - extension().length());
    }

    /** Packs and deletes old files; what fails is tried again at the next rotation. */
    private void tidy(LogConfig.Rotation rotation, Instant now) {
        try {
            List<Path> backups = backups();
            for (int i = 0; i < backups.size(); i++) {
                Path backup = backups.get(i);
                boolean isOne = rotation.backupsMax() > 0 && i >= rotation.backupsMax();
                if (isOne || isOld(backup, rotation, now)) {
                    Files.deleteIfExists(backup);
                } else if (rotation.isCompressed() && !backup.toString().endsWith(PACKED)) {
                    pack(backup);
                }
            }
        } catch (IOException later) {
            return; // as the comment says
        }
    }

    /** The newest first. */
    private List<Path> backups() throws IOException {
        String form = Pattern.quote(stem() + "-") + STAMP_FORM
                + Pattern.quote(extension()) + "(\\.gz)?";
        Path directory = file.toAbsolutePath().getParent();
        try (Stream<Path> siblings = Files.list(directory == null ? Path.of("/") : directory)) {
            return siblings.filter(sibling -> sibling.getFileName().toString().matches(form))
                    .sorted(Comparator.comparing((Path sibling) -> sibling.getFileName().toString()).reversed())
                    .toList();
        }
    }

    private static boolean isOld(Path backup, LogConfig.Rotation rotation, Instant now) throws IOException {
        return rotation.ageDaysMax() > 0 && Files.getLastModifiedTime(backup).toInstant()
                .isBefore(now.minus(Duration.ofDays(rotation.ageDaysMax())));
    }

    private static void pack(Path backup) throws IOException {
        Path packed = backup.resolveSibling(backup.getFileName() + PACKED);
        try (InputStream in = Files.newInputStream(backup);
                OutputStream to = new GZIPOutputStream(Files.newOutputStream(packed))) {
            in.transferTo(to);
        }
        Files.delete(backup);
    }
}
