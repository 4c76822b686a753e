package dev.quoin.server.config;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The configuration file, as etcd reads it (embed/config.go): YAML, of which JSON is a part; keys are the flags' names, but
 * for {@link Flag#key}; durations are whole nanoseconds; keys that nobody knows are passed over.
 */
final class ConfigFile {
    private static final int FILE_BYTES_MAX = 1 << 20;
    /** Fields of etcd's own structure that its reader would fill: certificates revoked could be named here alone. */
    private static final List<String> INNER = List.of("ClientTLSInfo", "PeerTLSInfo");

    /** etcd's name for what is within most keys that have something within them. */
    private static final String INNER_TYPE = "embed.securityConfig";
    private static final Set<FlagKind> TRANSLATED = EnumSet.of(FlagKind.URLS, FlagKind.PEER_URLS, FlagKind.ORIGINS,
            FlagKind.NAMES, FlagKind.GATES);

    private final Yaml.Value.Mapping root;
    private final Flags flags = new Flags(true);

    private ConfigFile(Yaml.Value.Mapping root) {
        this.root = root;
    }

    static Flags read(String file) throws Refused {
        Flags flags = parse(text(file));
        flags.note(Note.info("loaded server configuration, other configuration command line flags and environment"
                + " variables will be ignored if provided", Map.of("path", file)));
        return flags;
    }

    static Flags parse(String text) throws Refused {
        Yaml.Value.Mapping root = switch (Yaml.parse(text)) {
            case Yaml.Value.Mapping mapping -> mapping;
            case Yaml.Value.Null _ -> new Yaml.Value.Mapping(Map.of());
            case Yaml.Value.Bool _,Yaml.Value.Numeric _,Yaml.Value.Text _,Yaml.Value.Listing _ -> throw Refused
                    .check("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal what is not an object"
                            + " into Go value of type embed.configYAML");
        };
        return new ConfigFile(root).flags();
    }

    private static String text(String file) throws Refused {
        try {
            Path path = Path.of(file);
            if (Files.isRegularFile(path) && Files.size(path) > FILE_BYTES_MAX) {
                throw Refused.check("read " + file + ": longer than " + FILE_BYTES_MAX + " bytes");
            }
            return new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
        } catch (NoSuchFileException missing) {
            throw Refused.check("open " + file + ": no such file or directory");
        } catch (AccessDeniedException denied) {
            throw Refused.check("open " + file + ": permission denied");
        } catch (IOException failed) {
            throw Refused.check("read " + file + ": "
                    + (Files.isDirectory(Path.of(file)) ? "is a directory" : failed.getMessage()));
        }
    }

    private Flags flags() throws Refused {
        for (String inner : INNER) {
            if (root.find(inner).isPresent()) {
                throw Refused.check(inner + " in the configuration file is not served: use client-transport-security,"
                        + " peer-transport-security, and a flag or a variable for a revocation list");
            }
        }
        for (Flag flag : Stream.concat(FlagTable.ALL.stream(), FlagTable.FILE_ONLY.stream()).toList()) {
            Optional<Yaml.Value> value = flag.key().isEmpty() ? Optional.empty() : find(flag.key());
            if (value.isPresent() && !(value.get() instanceof Yaml.Value.Null)) {
                read(flag, value.get());
            }
        }
        return flags;
    }

    private Optional<Yaml.Value> find(String path) throws Refused {
        Yaml.Value.Mapping at = root;
        String[] keys = path.split("\\.", -1);
        for (int i = 0; i < keys.length - 1; i++) {
            Yaml.Value inner = at.find(keys[i]).orElse(new Yaml.Value.Null());
            if (inner instanceof Yaml.Value.Null) {
                return Optional.empty();
            }
            if (!(inner instanceof Yaml.Value.Mapping mapping)) {
                throw cannot(inner, String.join(".", List.of(keys).subList(0, i + 1)), INNER_TYPE, false);
            }
            at = mapping;
        }
        return at.find(keys[keys.length - 1]);
    }

    /** An empty text leaves what holds by itself, where etcd looks whether it is one. */
    private void read(Flag flag, Yaml.Value value) throws Refused {
        switch (flag.kind()) {
            case TEXT -> flags.set(flag, text(flag, value));
            case BOOLEAN -> flags.set(flag, Boolean.toString(bool(flag, value)));
            case INT, INT64, UINT, UINT64, UINT32 -> flags.set(flag, number(flag, value));
            case DURATION -> flags.set(flag, Durations.text(Duration.ofNanos(Long.parseLong(number(flag, value)))));
            case LIST, NAME_LIST -> {
                List<String> texts = texts(flag, value);
                if (!texts.isEmpty()) {
                    flags.set(flag, String.join(",", texts));
                }
            }
            case URLS, PEER_URLS, ORIGINS, NAMES, CLUSTER_STATE -> {
                String text = text(flag, value);
                if (!text.isEmpty()) {
                    flags.set(flag, flag.kind() == FlagKind.CLUSTER_STATE ? text : parsed(flag, text));
                }
            }
            case GATES -> flags.set(flag, gates(flag, text(flag, value)));
            case OLD_STORE, FALLBACK, IGNORED -> flags.set(flag, text(flag, value));
        }
    }

    private static String parsed(Flag flag, String text) throws Refused {
        try {
            return flag.kind().read(text, flag.initial());
        } catch (BadValue bad) {
            throw Refused.of(Refused.Form.PLAIN, "unexpected error setting up " + flag.key() + ": " + bad.why());
        }
    }

    private static String gates(Flag flag, String text) throws Refused {
        try {
            return flag.kind().read(text, "");
        } catch (BadValue bad) {
            throw Refused.check(bad.why());
        }
    }

    private static String text(Flag flag, Yaml.Value value) throws Refused {
        if (value instanceof Yaml.Value.Text text) {
            return text.value();
        }
        throw cannot(value, flag, "string");
    }

    private static boolean bool(Flag flag, Yaml.Value value) throws Refused {
        if (value instanceof Yaml.Value.Bool bool) {
            return bool.value();
        }
        throw cannot(value, flag, "bool");
    }

    private static List<String> texts(Flag flag, Yaml.Value value) throws Refused {
        if (!(value instanceof Yaml.Value.Listing listing)) {
            throw cannot(value, flag, "[]string");
        }
        List<String> texts = new ArrayList<>();
        for (Yaml.Value each : listing.values()) {
            texts.add(each instanceof Yaml.Value.Null ? "" : text(flag, each));
        }
        return texts;
    }

    private static String number(Flag flag, Yaml.Value value) throws Refused {
        String type = switch (flag.kind()) {
            case UINT -> "uint";
            case UINT32 -> "uint32";
            case UINT64 -> "uint64";
            case INT64 -> "int64";
            case DURATION -> "time.Duration";
            default -> "int";
        };
        if (!(value instanceof Yaml.Value.Numeric number)) {
            throw cannot(value, flag, type);
        }
        try {
            String digits = number.value().setScale(0).toPlainString();
            FlagKind kind = flag.kind() == FlagKind.DURATION ? FlagKind.INT : flag.kind();
            return kind.read(digits, "");
        } catch (ArithmeticException | BadValue outside) {
            throw cannot(value, flag, type);
        }
    }

    private static Refused cannot(Yaml.Value value, Flag flag, String type) {
        return cannot(value, flag.key(), type, TRANSLATED.contains(flag.kind()));
    }

    /** @param isTranslated whether etcd keeps it in another form than it is written in */
    private static Refused cannot(Yaml.Value value, String key, String type, boolean isTranslated) {
        String what = switch (value) {
            case Yaml.Value.Null _ -> "null";
            case Yaml.Value.Bool _ -> "bool";
            case Yaml.Value.Numeric(BigDecimal number) ->
                type.equals("string") || type.equals("bool") || type.equals(INNER_TYPE)
                        ? "number"
                        : "number " + number.toPlainString();
            case Yaml.Value.Text _ -> "string";
            case Yaml.Value.Listing _ -> "array";
            case Yaml.Value.Mapping _ -> "object";
        };
        return Refused.check("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " + what
                + " into Go struct field " + structure(key, isTranslated) + key + " of type " + type);
    }

    /** Which of etcd's structures has the field. */
    private static String structure(String key, boolean isTranslated) {
        if (key.contains("transport-security")) {
            return (key.contains(".") ? "securityConfig" : "configYAML") + ".configJSON.";
        }
        if (key.startsWith("discovery-config.")) {
            return "ConfigSpec.Config.";
        }
        return isTranslated ? "configYAML.configJSON." : "configYAML.Config.";
    }
}
