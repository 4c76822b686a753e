package dev.quoin.server.config;

import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

import dev.quoin.member.founding.PeerUrls;

/** What the values of a setting look like, and what the command line and the environment refuse in Go's and etcd's words. */
public enum FlagKind {
    TEXT {
        @Override
        String read(String value, String current) {
            return value;
        }
    },
    /** {@code true}, {@code F}, {@code 1}, …; alone on the command line it is true. */
    BOOLEAN {
        @Override
        String read(String value, String current) throws BadValue {
            if (TRUE.contains(value)) {
                return "true";
            }
            if (FALSE.contains(value)) {
                return "false";
            }
            throw new BadValue("parse error");
        }
    },
    INT {
        @Override
        String read(String value, String current) throws BadValue {
            return inRange(GoNumbers.parse(value), LONG_MIN, LONG_MAX, "parse error", "value out of range");
        }
    },
    INT64 {
        @Override
        String read(String value, String current) throws BadValue {
            return INT.read(value, current);
        }
    },
    UINT {
        @Override
        String read(String value, String current) throws BadValue {
            return inRange(GoNumbers.parseUnsigned(value), BigInteger.ZERO, UINT64_MAX, "parse error",
                    "value out of range");
        }
    },
    UINT64 {
        @Override
        String read(String value, String current) throws BadValue {
            return UINT.read(value, current);
        }
    },
    UINT32 {
        @Override
        String read(String value, String current) throws BadValue {
            String parsing = "strconv.ParseUint: parsing \"" + value + "\": ";
            return inRange(GoNumbers.parseUnsigned(value), BigInteger.ZERO, UINT32_MAX, parsing + "invalid syntax",
                    parsing + "value out of range");
        }
    },
    /** {@code 1m30s}; in the configuration file a number of nanoseconds. */
    DURATION {
        @Override
        String read(String value, String current) throws BadValue {
            return Durations.text(Durations.parse(value).orElseThrow(() -> new BadValue("parse error")));
        }
    },
    /** URLs that clients and machines of monitoring use, with commas, each once and in order; nothing changes nothing. */
    URLS {
        @Override
        String read(String value, String current) throws BadValue {
            return value.isEmpty() ? current : urls(value);
        }
    },
    /** The same for other members. */
    PEER_URLS {
        @Override
        String read(String value, String current) throws BadValue {
            String urls = value.isEmpty() ? current : urls(value);
            if (Stream.of(urls.split(",", -1)).anyMatch(PeerUrls::isUnix)) {
                throw new BadValue("sockets of unix are not served between members yet: " + value);
            }
            return urls;
        }
    },
    /** URLs of pages in browsers, or {@code *}. */
    ORIGINS {
        @Override
        String read(String value, String current) throws BadValue {
            return value.equals("*") ? value : urls(value);
        }
    },
    /** Texts with commas, each once and in order. */
    NAMES {
        @Override
        String read(String value, String current) {
            return sorted(value);
        }
    },
    /** The same, which are a list in the configuration file and not a text. */
    NAME_LIST {
        @Override
        String read(String value, String current) {
            return sorted(value);
        }
    },
    /** Texts with commas, in the order given. */
    LIST {
        @Override
        String read(String value, String current) {
            return value;
        }
    },
    CLUSTER_STATE {
        @Override
        String read(String value, String current) throws BadValue {
            return oneOf(Set.of("new", "existing"), value, "invalid value");
        }
    },
    FALLBACK {
        @Override
        String read(String value, String current) throws BadValue {
            return oneOf(Set.of("exit", "proxy"), value, "invalid value");
        }
    },
    /** Of the store that etcd had before; several with commas. */
    OLD_STORE {
        @Override
        String read(String value, String current) throws BadValue {
            for (String stage : value.split(",", -1)) {
                oneOf(Set.of("write-only", "write-only-skip-check", "write-only-drop-data", "gone"), stage,
                        "invalid value \"" + stage + "\"");
            }
            return value;
        }
    },
    /** {@code Name=true}, with commas; several add up. */
    GATES {
        @Override
        String read(String value, String current) throws BadValue {
            Gates.parse(value);
            return Stream.of(current, value).filter(part -> !part.isEmpty()).reduce((a, b) -> a + "," + b).orElse("");
        }
    },
    /** Was a flag once: any value, which nobody looks at. */
    IGNORED {
        @Override
        String read(String value, String current) {
            return value;
        }
    };

    private static final Set<String> TRUE = Set.of("1", "t", "T", "true", "TRUE", "True");
    private static final Set<String> FALSE = Set.of("0", "f", "F", "false", "FALSE", "False");
    private static final BigInteger LONG_MIN = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger LONG_MAX = BigInteger.valueOf(Long.MAX_VALUE);
    private static final BigInteger UINT32_MAX = BigInteger.valueOf(0xffff_ffffL);
    private static final BigInteger UINT64_MAX = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);

    /**
     * The value in the one form in which it is kept.
     *
     * @param current what held before
     */
    abstract String read(String value, String current) throws BadValue;

    /** Whether it may stand alone on the command line. */
    boolean standsAlone() {
        return this == BOOLEAN || this == IGNORED;
    }

    private static String inRange(Optional<BigInteger> number, BigInteger min, BigInteger max, String noNumber,
            String outside)
            throws BadValue {
        BigInteger value = number.orElseThrow(() -> new BadValue(noNumber));
        if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
            throw new BadValue(outside);
        }
        return value.toString();
    }

    private static String sorted(String names) {
        return String.join(",", new TreeSet<>(List.of(names.split(",", -1))));
    }

    private static String urls(String value) throws BadValue {
        try {
            return String.join(",", PeerUrls.parseAny(List.of(value.split(",", -1))).stream().distinct().toList());
        } catch (PeerUrls.Bad bad) {
            throw new BadValue(String.valueOf(bad.getMessage()));
        }
    }

    private static String oneOf(Set<String> allowed, String value, String otherwise) throws BadValue {
        if (!allowed.contains(value)) {
            throw new BadValue(otherwise);
        }
        return value;
    }

    static Duration duration(String value) {
        return Durations.parse(value).orElseThrow();
    }
}
