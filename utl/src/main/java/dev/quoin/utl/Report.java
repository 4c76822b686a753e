package dev.quoin.utl;

import java.util.List;
import java.util.stream.Collectors;

/** A few facts about one thing, printed in one of etcdutl's formats (etcdutl/printer*.go). */
record Report(List<Fact> facts) {
    /**
     * One of them.
     *
     * @param column its head in a table
     * @param cell as it stands in a table, and in a simple line
     * @param label what it is called as a field
     * @param value as it stands behind that
     * @param key what it is called in JSON
     * @param json as it stands there
     */
    record Fact(String column, String cell, String label, String value, String key, String json) {
        /** A number that is the same everywhere. */
        static Fact of(String column, String label, String key, String number) {
            return new Fact(column, number, label, number, key, number);
        }
    }

    Report {
        facts = List.copyOf(facts);
    }

    /** The formats, by the names that are given to {@code --write-out}. */
    enum Format {
        SIMPLE, FIELDS, JSON, TABLE,
        /** Of this one etcdutl knows the name, and no form for what it reports. */
        PROTOBUF;

        /** @throws Refused if there is no such format */
        static Format of(String name) throws Refused {
            return switch (name) {
                case "simple" -> SIMPLE;
                case "fields" -> FIELDS;
                case "json" -> JSON;
                case "table" -> TABLE;
                case "protobuf" -> PROTOBUF;
                default -> throw new Refused(Refused.Exit.UNSUPPORTED, "unsupported output format");
            };
        }
    }

    String in(Format format) throws Refused {
        return switch (format) {
            case SIMPLE -> facts.stream().map(Fact::cell).collect(Collectors.joining(", ")) + "\n";
            case FIELDS -> facts.stream().map(fact -> "\"" + fact.label + "\" : " + fact.value + "\n")
                    .collect(Collectors.joining());
            case JSON -> facts.stream().map(fact -> "\"" + fact.key + "\":" + fact.json)
                    .collect(Collectors.joining(",", "{", "}\n"));
            case TABLE -> Table.of(facts.stream().map(Fact::column).toList(), facts.stream().map(Fact::cell).toList());
            case PROTOBUF -> throw new Refused(Refused.Exit.UNSUPPORTED, "protobuf not supported as output format");
        };
    }
}
