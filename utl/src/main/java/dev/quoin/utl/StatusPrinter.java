package dev.quoin.utl;

import java.util.List;

import dev.quoin.base.HumanBytes;

/** Prints a status in one of etcdutl's formats (etcdutl/printer*.go). */
enum StatusPrinter {
    SIMPLE {
        @Override
        String print(SnapshotStatus status) {
            return String.join(", ", cells(status)) + "\n";
        }
    },
    FIELDS {
        @Override
        String print(SnapshotStatus status) {
            return "\"Hash\" : " + hash(status) + "\n\"Revision\" : " + status.revision() + "\n\"Keys\" : "
                    + status.totalKeys() + "\n\"Size\" : " + status.totalBytes() + "\n\"Version\" : " + status.version()
                    + "\n";
        }
    },
    JSON {
        @Override
        String print(SnapshotStatus status) {
            return "{\"hash\":" + hash(status) + ",\"revision\":" + status.revision() + ",\"totalKey\":"
                    + status.totalKeys() + ",\"totalSize\":" + status.totalBytes() + ",\"version\":\""
                    + status.version() + "\"}\n";
        }
    },
    TABLE {
        @Override
        String print(SnapshotStatus status) {
            return Table.of(HEAD, cells(status));
        }
    },
    /** Of these formats etcdutl knows the name, and no form for a status. */
    PROTOBUF {
        @Override
        String print(SnapshotStatus status) throws Refused {
            throw new Refused(Refused.Exit.UNSUPPORTED, "protobuf not supported as output format");
        }
    };

    private static final List<String> HEAD = List.of("HASH", "REVISION", "TOTAL KEYS", "TOTAL SIZE", "VERSION");

    abstract String print(SnapshotStatus status) throws Refused;

    /** @throws Refused if there is no such format */
    static StatusPrinter of(String format) throws Refused {
        return switch (format) {
            case "simple" -> SIMPLE;
            case "fields" -> FIELDS;
            case "json" -> JSON;
            case "table" -> TABLE;
            case "protobuf" -> PROTOBUF;
            default -> throw new Refused(Refused.Exit.UNSUPPORTED, "unsupported output format");
        };
    }

    private static String hash(SnapshotStatus status) {
        return Integer.toUnsignedString(status.hash());
    }

    private static List<String> cells(SnapshotStatus status) {
        return List.of(Integer.toHexString(status.hash()), Long.toString(status.revision()),
                Long.toString(status.totalKeys()), HumanBytes.text(status.totalBytes()), status.version());
    }
}
