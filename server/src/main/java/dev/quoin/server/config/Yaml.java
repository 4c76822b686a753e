package dev.quoin.server.config;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * A YAML text as the value that etcd's reader (sigs.k8s.io/yaml, YAML 1.1) turns it into. The library tells the structure;
 * what a bare word means is decided here, since YAML 1.2 knows no {@code yes} and no {@code 0644}.
 */
final class Yaml {
    /** What JSON has. */
    sealed interface Value {
        record Null() implements Value {}

        record Bool(boolean value) implements Value {}

        record Numeric(BigDecimal value) implements Value {}

        record Text(String value) implements Value {}

        record Listing(List<Value> values) implements Value {}

        record Mapping(Map<String, Value> values) implements Value {
            /** Go's JSON looks for the very name first, then in any case. */
            Optional<Value> find(String key) {
                Value exact = values.get(key);
                return exact != null
                        ? Optional.of(exact)
                        : values.entrySet().stream().filter(entry -> entry.getKey().equalsIgnoreCase(key))
                                .map(Map.Entry::getValue).findFirst();
            }
        }
    }

    private static final int VALUES_MAX = 100_000;
    private static final int DEPTH_MAX = 64;
    private static final Set<String> TRUE = Set.of("true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On",
            "ON");
    private static final Set<String> FALSE = Set.of("false", "False", "FALSE", "n", "N", "no", "No", "NO", "off",
            "Off", "OFF");
    private static final Set<String> NULL = Set.of("", "~", "null", "Null", "NULL");
    private static final Pattern FLOAT = Pattern.compile("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?");
    private static final String MERGE = "<<";

    private int values;

    private Yaml() {}

    /** The first document; nothing is null. */
    static Value parse(String text) throws Refused {
        try {
            LoadSettings settings = LoadSettings.builder().setAllowDuplicateKeys(true)
                    .setMaxAliasesForCollections(VALUES_MAX).build();
            Iterator<Node> documents = new Compose(settings).composeAllFromString(text).iterator();
            return documents.hasNext() ? new Yaml().value(documents.next(), 0) : new Value.Null();
        } catch (MarkedYamlEngineException bad) {
            String line = bad.getProblemMark().map(mark -> "line " + (mark.getLine() + 1) + ": ").orElse("");
            throw Refused.check("error converting YAML to JSON: yaml: " + line + bad.getProblem());
        } catch (YamlEngineException bad) {
            throw Refused.check("error converting YAML to JSON: yaml: " + bad.getMessage());
        }
    }

    /** An alias is read again wherever it stands, so that what little it takes to write may be much. */
    private Value value(Node node, int depth) throws Refused {
        if (depth > DEPTH_MAX || ++values > VALUES_MAX) {
            throw Refused.check("error converting YAML to JSON: yaml: more than " + VALUES_MAX + " values, or "
                    + DEPTH_MAX + " within each other");
        }
        return switch (node) {
            case MappingNode mapping -> mapping(mapping, depth);
            case SequenceNode sequence -> {
                List<Value> listed = new ArrayList<>();
                for (Node element : sequence.getValue()) {
                    listed.add(value(element, depth + 1));
                }
                yield new Value.Listing(listed);
            }
            case ScalarNode scalar -> scalar.getScalarStyle() == ScalarStyle.PLAIN
                    ? bareWord(scalar.getValue())
                    : new Value.Text(scalar.getValue());
            default -> throw Refused.check("error converting YAML to JSON: yaml: a node that is no value");
        };
    }

    private Value.Mapping mapping(MappingNode mapping, int depth) throws Refused {
        Map<String, Value> entries = new LinkedHashMap<>();
        for (NodeTuple entry : mapping.getValue()) {
            if (isMerge(entry.getKeyNode())) {
                merge(value(entry.getValueNode(), depth + 1), entries);
            }
        }
        for (NodeTuple entry : mapping.getValue()) {
            if (entry.getKeyNode() instanceof ScalarNode key && !isMerge(key)) {
                entries.put(key.getValue(), value(entry.getValueNode(), depth + 1));
            }
        }
        return new Value.Mapping(entries);
    }

    private static boolean isMerge(Node key) {
        return key instanceof ScalarNode scalar && scalar.getScalarStyle() == ScalarStyle.PLAIN
                && scalar.getValue().equals(MERGE);
    }

    /** What stands in the mapping itself comes later, and counts. Of several that are merged the first counts. */
    private static void merge(Value merged, Map<String, Value> into) {
        switch (merged) {
            case Value.Mapping mapping -> mapping.values().forEach(into::putIfAbsent);
            case Value.Listing listing -> listing.values().forEach(each -> merge(each, into));
            case Value.Null _,Value.Bool _,Value.Numeric _,Value.Text _ -> {}
        }
    }

    private static Value bareWord(String word) {
        if (NULL.contains(word)) {
            return new Value.Null();
        }
        if (TRUE.contains(word)) {
            return new Value.Bool(true);
        }
        if (FALSE.contains(word)) {
            return new Value.Bool(false);
        }
        String digits = word.replace("_", "");
        if (FLOAT.matcher(digits).matches() && digits.matches(".*[.eE].*")) {
            return new Value.Numeric(new BigDecimal(digits));
        }
        return GoNumbers.parse(digits).<Value>map(number -> new Value.Numeric(new BigDecimal(number)))
                .orElseGet(() -> new Value.Text(word));
    }
}
