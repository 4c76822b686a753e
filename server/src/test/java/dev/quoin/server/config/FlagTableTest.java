package dev.quoin.server.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** The table of settings, beside what etcd 3.7.1 has and what the documentation says. */
class FlagTableTest {
    private static final Map<FlagKind, String> ETCDS_NAMES = Map.ofEntries(Map.entry(FlagKind.TEXT, "string"),
            Map.entry(FlagKind.BOOLEAN, "bool"), Map.entry(FlagKind.INT, "int"), Map.entry(FlagKind.INT64, "int64"),
            Map.entry(FlagKind.UINT, "uint"), Map.entry(FlagKind.UINT64, "uint64"),
            Map.entry(FlagKind.UINT32, "uint32"), Map.entry(FlagKind.DURATION, "duration"),
            Map.entry(FlagKind.URLS, "urls"), Map.entry(FlagKind.PEER_URLS, "urls"),
            Map.entry(FlagKind.ORIGINS, "urls"), Map.entry(FlagKind.NAMES, "strings sorted"),
            Map.entry(FlagKind.NAME_LIST, "strings sorted"), Map.entry(FlagKind.LIST, "strings"),
            Map.entry(FlagKind.CLUSTER_STATE, "new|existing"), Map.entry(FlagKind.FALLBACK, "exit|proxy"),
            Map.entry(FlagKind.OLD_STORE, "v2-deprecation"), Map.entry(FlagKind.GATES, "featureGate"));

    private record EtcdsFlag(String type, String initial) {}

    private static Map<String, EtcdsFlag> etcds() throws IOException {
        Map<String, EtcdsFlag> flags = new TreeMap<>();
        try (InputStream list = Objects
                .requireNonNull(FlagTableTest.class.getResourceAsStream("etcd-3.7.1-flags.tsv"))) {
            for (String line : new String(list.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
                String[] columns = line.split("\t", -1);
                if (columns.length == 3) {
                    flags.put(columns[0], new EtcdsFlag(columns[1], columns[2]));
                }
            }
        }
        return flags;
    }

    @Test
    void hasEveryFlagOfEtcdAndNoOther() throws IOException {
        assertThat(etcds()).hasSize(113);
        assertThat(FlagTable.ALL.stream().map(Flag::name)).doesNotHaveDuplicates()
                .containsExactlyInAnyOrderElementsOf(etcds().keySet());
    }

    @Test
    void eachHasEtcdsTypeAndEtcdsDefault() throws Exception {
        Map<String, EtcdsFlag> etcds = etcds();
        for (Flag flag : FlagTable.ALL) {
            EtcdsFlag etcds1 = Objects.requireNonNull(etcds.get(flag.name()));
            assertThat(ETCDS_NAMES.get(flag.kind())).as(flag.name()).isEqualTo(etcds1.type());
            String initial = etcds1.initial().isEmpty() ? "" : flag.kind().read(etcds1.initial(), "");
            assertThat(flag.initial()).as(flag.name()).isEqualTo(initial);
        }
    }

    @Test
    void whatWasAFlagOnceIsPassedOver() throws Refused {
        for (String name : FlagTable.IGNORED_NAMES) {
            assertThat(Flags.read(new String[]{"--" + name, "--" + name + "=x"}, Map.of()))
                    .isInstanceOf(Flags.Wish.Start.class);
        }
    }

    @Test
    void whatWasExperimentalIsNoFlagAnyMore() {
        assertThat(FlagTable.BY_NAME.keySet()).noneMatch(name -> name.startsWith("experimental"));
    }

    @Test
    void theHelpNamesEachUnderItsHeading() {
        String help = FlagTable.help();
        for (Flag flag : FlagTable.ALL) {
            assertThat(help).containsOnlyOnce("  --" + flag.name() + " '");
        }
        for (Gate gate : Gate.values()) {
            assertThat(help).contains(gate.title() + "=true|false (" + gate.stage());
        }
        for (Section section : Section.values()) {
            assertThat(help).contains("\n" + section.title() + ":\n");
        }
    }

    /** docs/compatibility.md has a row for each setting that does not act, and for no other. */
    @Test
    void theDocumentationListsWhatDoesNotAct() throws IOException {
        Pattern row = Pattern.compile("\\| `([^`]+)` \\| (warning|refused) \\| (.*) \\|");
        List<String> documented = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("..", "docs", "compatibility.md"))) {
            Matcher cells = row.matcher(line);
            if (cells.matches()) {
                documented.add(cells.group(1) + " " + cells.group(2) + " " + cells.group(3));
            }
        }
        Stream<String> flags = Stream.concat(FlagTable.ALL.stream(), FlagTable.FILE_ONLY.stream())
                .map(flag -> inDocumentation(flag.name(), flag.effect()));
        Stream<String> gates = Stream.of(Gate.values()).map(gate -> inDocumentation(gate.title(), gate.effect()));
        assertThat(documented).containsExactlyElementsOf(
                Stream.concat(flags, gates).filter(line -> !line.isEmpty()).toList());
    }

    private static String inDocumentation(String name, Effect effect) {
        return switch (effect) {
            case Effect.Acts() -> "";
            case Effect.Idle(String why) -> name + " warning " + why;
            case Effect.Unserved(String why) -> name + " refused " + why;
        };
    }
}
