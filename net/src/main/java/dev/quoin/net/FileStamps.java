package dev.quoin.net;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/** What files look like from outside, to find out whether they have changed. One that cannot be looked at has a look too. */
record FileStamps(List<Object> looks) {
    static FileStamps of(List<Path> files) {
        List<Object> looks = new ArrayList<>();
        for (Path file : files) {
            looks.add(look(file));
        }
        return new FileStamps(List.copyOf(looks));
    }

    private static Object look(Path file) {
        try {
            BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
            return List.of(now.lastModifiedTime(), now.size(), String.valueOf(now.fileKey()));
        } catch (IOException e) {
            return e.getClass().getName();
        }
    }
}
