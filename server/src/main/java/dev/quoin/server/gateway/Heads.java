package dev.quoin.server.gateway;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.Metadata;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

/**
 * What of an HTTP head goes on to the call (grpc-gateway, runtime/context.go annotateContext): the token, whatever is called
 * {@code Grpc-Metadata-*}, and {@code Grpc-Timeout}. The gateway of etcd also passes on common headers under names of its own,
 * which none of its methods reads. Pure functions.
 */
final class Heads {
    private static final String PREFIX = "grpc-metadata-";

    private Heads() {}

    /** @throws StatusException if a binary value is none */
    static Metadata metadata(HttpRequest head) throws StatusException {
        Metadata.Builder metadata = Metadata.builder();
        for (String token : head.headers().all("authorization")) {
            if (isText(token)) {
                metadata.add("authorization", token);
            }
        }
        for (Map.Entry<String, String> field : own(head).entrySet()) {
            String name = field.getKey();
            if (name.endsWith("-bin")) {
                metadata.add(name, binary(name, field.getValue()));
            } else if (isText(field.getValue())) {
                metadata.add(name, field.getValue());
            }
        }
        return metadata.build();
    }

    /** By the names that they have without the prefix; of several of a name the first. */
    private static Map<String, String> own(HttpRequest head) {
        Map<String, String> own = new LinkedHashMap<>();
        head.headers().forEach((name, value) -> {
            if (name.startsWith(PREFIX) && name.length() > PREFIX.length()
                    && name.substring(PREFIX.length()).chars().allMatch(Heads::isOfName)) {
                own.putIfAbsent(name.substring(PREFIX.length()), value);
            }
        });
        return own;
    }

    private static Bytes binary(String name, String value) throws StatusException {
        try {
            return Bytes.of(Base64.getDecoder().decode(value));
        } catch (IllegalArgumentException illegal) {
            throw invalid("invalid binary header " + PREFIX + name + ": illegal base64 data");
        }
    }

    private static boolean isOfName(int c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    }

    /** Others are passed over in silence. */
    private static boolean isText(String value) {
        return value.chars().allMatch(c -> c >= 0x20 && c <= 0x7e);
    }

    /**
     * When the client stops waiting.
     *
     * @throws StatusException if it says that in a way of its own
     */
    static long deadlineNanos(HttpRequest head) throws StatusException {
        String timeout = head.headers().first("grpc-timeout");
        if (timeout == null || timeout.isEmpty()) {
            return Call.NO_DEADLINE;
        }
        long unit = unitNanos(timeout.charAt(timeout.length() - 1));
        String amount = timeout.substring(0, timeout.length() - 1);
        if (unit == 0 || !amount.matches("[-+]?[0-9]{1,18}")) {
            throw invalid("invalid grpc-timeout: " + timeout);
        }
        long units = Long.parseLong(amount);
        if (units == 0) {
            return Call.NO_DEADLINE;
        }
        // A hundred years are for ever, and do not overflow.
        return System.nanoTime() + Math.clamp(units, 0, 3_153_600_000_000_000_000L / unit) * unit;
    }

    private static long unitNanos(char unit) {
        return switch (unit) {
            case 'H' -> 3_600_000_000_000L;
            case 'M' -> 60_000_000_000L;
            case 'S' -> 1_000_000_000L;
            case 'm' -> 1_000_000L;
            case 'u' -> 1_000L;
            case 'n' -> 1L;
            default -> 0;
        };
    }

    private static StatusException invalid(String message) {
        return new StatusException(Status.Code.INVALID_ARGUMENT, message);
    }
}
