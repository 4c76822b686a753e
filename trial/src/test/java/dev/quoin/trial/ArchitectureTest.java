package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * The arrows between the rooms, and what the core must not touch, read off the class files. A new room must be given its
 * line here; a rule is shown to fire on code that breaks it.
 */
class ArchitectureTest {
    /** What each room may use of the others, and which libraries; java.base and JSpecify's annotations are free. */
    private static final Map<String, List<String>> MAY_USE = Map.ofEntries(
            Map.entry("base", List.of("javax.net.ssl..")),
            Map.entry("raft", List.of("dev.quoin.base..")),
            Map.entry("disk", List.of("dev.quoin.base..")),
            Map.entry("store", List.of("dev.quoin.base..")),
            Map.entry("cert", List.of("dev.quoin.base..", "org.bouncycastle..")),
            Map.entry("net",
                    List.of("dev.quoin.base..", "io.netty..", "org.slf4j..", "javax.net.ssl..", "javax.naming..",
                            "javax.security.auth.x500..")),
            Map.entry("member", List.of("dev.quoin.base..", "dev.quoin.raft..", "dev.quoin.disk..", "dev.quoin.store..",
                    "dev.quoin.api..", "com.google.protobuf..", "com.google.gson..")),
            Map.entry("utl",
                    List.of("dev.quoin.base..", "dev.quoin.disk..", "dev.quoin.store..", "dev.quoin.member..")),
            Map.entry("ctl", List.of("dev.quoin.base..", "dev.quoin.api..", "dev.quoin.utl..",
                    "com.google.protobuf..", "javax.net.ssl..", "javax.naming..")),
            Map.entry("sim", List.of("dev.quoin.base..", "dev.quoin.raft..", "dev.quoin.disk..", "dev.quoin.store..",
                    "dev.quoin.member..", "javax.tools..")),
            Map.entry("server",
                    List.of("dev.quoin.base..", "dev.quoin.member..", "dev.quoin.raft..", "dev.quoin.disk..",
                            "dev.quoin.store..",
                            "dev.quoin.net..", "dev.quoin.cert..", "dev.quoin.api..", "com.google.protobuf..",
                            "com.google.gson..", "org.slf4j..",
                            "ch.qos.logback..", "javax.naming..", "javax.crypto..", "org.snakeyaml..",
                            "at.favre.lib.crypto..")));

    private static final JavaClasses ROOMS = classes();

    private static JavaClasses classes() {
        List<Path> folders = new ArrayList<>();
        for (String room : MAY_USE.keySet().stream().sorted().toList()) {
            Path folder = Path.of("..", room, "target", "classes");
            assertThat(folder).as("the room %s has been compiled", room).isDirectory();
            folders.add(folder);
        }
        return new ClassFileImporter().importPaths(folders);
    }

    private static ArchRule uses(String room, List<String> allowed) {
        List<String> free = new ArrayList<>(allowed);
        free.add("dev.quoin." + room + "..");
        free.add("java..");
        free.add("org.jspecify..");
        return noClasses().that().resideInAPackage("dev.quoin." + room + "..").should().dependOnClassesThat(
                not(resideInAnyPackage(free.toArray(String[]::new))).and(not(isPrimitiveOrArray())))
                .as(room + " uses only " + free);
    }

    private static DescribedPredicate<JavaClass> isPrimitiveOrArray() {
        return DescribedPredicate.describe("a primitive or an array of them",
                type -> type.getBaseComponentType().isPrimitive());
    }

    @TestFactory
    Stream<DynamicTest> arrowsPointOneWay() {
        return MAY_USE.entrySet().stream().sorted(Map.Entry.comparingByKey())
                .map(room -> DynamicTest.dynamicTest(room.getKey() + " uses what it may",
                        () -> uses(room.getKey(), room.getValue()).check(ROOMS)));
    }

    @Test
    void everyRoomHasItsLine() throws Exception {
        try (Stream<Path> folders = Files.list(Path.of(".."))) {
            List<String> rooms = folders.filter(folder -> Files.isDirectory(folder.resolve("src/main/java")))
                    .map(folder -> folder.getFileName().toString()).sorted().toList();
            assertThat(MAY_USE.keySet()).containsAll(rooms);
        }
    }

    /** Time, threads, chance, files and sockets reach the core as values. */
    private static ArchRule pure(String room) {
        return noClasses().that().resideInAPackage("dev.quoin." + room + "..").should()
                .dependOnClassesThat(resideInAnyPackage("java.io..", "java.nio.file..", "java.nio.channels..",
                        "java.net..", "java.time..", "java.util.concurrent..", "java.util.random..", "java.security..")
                        .and(not(resideInAPackage("java.io").and(DescribedPredicate.describe("Serializable",
                                type -> type.getSimpleName().equals("Serializable"))))))
                .orShould().dependOnClassesThat().haveFullyQualifiedName("java.lang.Thread")
                .orShould().dependOnClassesThat().haveFullyQualifiedName("java.util.Random")
                .orShould().dependOnClassesThat().haveFullyQualifiedName("java.util.UUID")
                .orShould().dependOnClassesThat().haveFullyQualifiedName("java.util.Timer")
                .orShould().callMethod(System.class, "nanoTime").orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould().callMethod(Math.class, "random")
                .as(room + " has no clock, thread, file, socket or chance of its own");
    }

    /** Nothing that is ordered by a hash may reach bytes or effects: the core keeps no such collection at all. */
    private static ArchRule unhashed(String room) {
        return noClasses().that().resideInAPackage("dev.quoin." + room + "..").should().dependOnClassesThat()
                .haveFullyQualifiedName("java.util.HashMap").orShould().dependOnClassesThat()
                .haveFullyQualifiedName("java.util.HashSet").orShould().dependOnClassesThat()
                .haveFullyQualifiedName("java.util.IdentityHashMap").as(room + " keeps nothing in the order of a hash");
    }

    @Test
    void theCoreIsPure() {
        pure("raft").check(ROOMS);
        pure("store").check(ROOMS);
    }

    @Test
    void theCoreKeepsNothingInTheOrderOfAHash() {
        unhashed("raft").check(ROOMS);
        unhashed("store").check(ROOMS);
    }

    @Test
    void nettyIsSeenByNetAlone() {
        noClasses().that().resideOutsideOfPackage("dev.quoin.net..").should().dependOnClassesThat()
                .resideInAPackage("io.netty..").check(ROOMS);
    }

    /** Rules that no code can break prove nothing: each is asked about a room that breaks it. */
    @Test
    void theRulesFire() {
        assertThatThrownBy(() -> uses("server", List.of("dev.quoin.base..")).check(ROOMS))
                .isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> pure("member").check(ROOMS)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> unhashed("net").check(ROOMS)).isInstanceOf(AssertionError.class);
    }
}
