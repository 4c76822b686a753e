package dev.quoin.net;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Why a handshake failed, in the words that etcd's log has for it (Go's crypto/tls), which operators look for; where they have
 * none, in those of the engine. Pure.
 */
final class TlsWords {
    /** The first two groups are BoringSSL's, the third is the JDK's. */
    private static final Pattern ALERT = Pattern
            .compile(
                    "(?:SSLV3|TLSV1)_ALERT_([A-Z_]+)|TLSV1_(UNKNOWN_CA|CERTIFICATE_REQUIRED)|(?:Received fatal alert: )([a-z_]+)");
    private static final Pattern REASON = Pattern.compile("SSL routines:[A-Za-z_]*:([A-Z0-9_]+)");

    /** What the other side's alert is called in Go (crypto/tls/alert.go). */
    private static final Map<String, String> ALERTS = Map.ofEntries(
            Map.entry("unexpected_message", "unexpected message"),
            Map.entry("bad_record_mac", "bad record MAC"), Map.entry("handshake_failure", "handshake failure"),
            Map.entry("bad_certificate", "bad certificate"),
            Map.entry("unsupported_certificate", "unsupported certificate"),
            Map.entry("certificate_revoked", "revoked certificate"),
            Map.entry("certificate_expired", "expired certificate"),
            Map.entry("certificate_unknown", "unknown certificate"),
            Map.entry("illegal_parameter", "illegal parameter"),
            Map.entry("unknown_ca", "unknown certificate authority"), Map.entry("access_denied", "access denied"),
            Map.entry("decode_error", "error decoding message"), Map.entry("decrypt_error", "error decrypting message"),
            Map.entry("protocol_version", "protocol version not supported"),
            Map.entry("insufficient_security", "insufficient security level"),
            Map.entry("internal_error", "internal error"), Map.entry("user_canceled", "user canceled"),
            Map.entry("certificate_required", "certificate required"),
            Map.entry("no_application_protocol", "no application protocol"));

    private static final String NOTHING_SHOWN = "tls: client didn't provide a certificate";
    private static final Map<String, String> REASONS = Map.of("PEER_DID_NOT_RETURN_A_CERTIFICATE", NOTHING_SHOWN,
            "NO_SHARED_CIPHER", "tls: no cipher suite supported by both client and server", "UNSUPPORTED_PROTOCOL",
            "tls: client offered only unsupported versions", "HTTP_REQUEST",
            "tls: first record does not look like a TLS handshake", "WRONG_VERSION_NUMBER",
            "tls: first record does not look like a TLS handshake");
    private static final Map<String, String> REASONS_OF_JDK = Map.of("Empty client certificate chain", NOTHING_SHOWN);

    private TlsWords() {}

    /** The innermost text is the one that says what was wrong. */
    private static String text(Throwable cause) {
        Throwable innermost = cause;
        for (Throwable next = cause.getCause(); next != null; next = next.getCause()) {
            innermost = next;
        }
        return String.valueOf(innermost.getMessage());
    }

    static String reason(Throwable cause) {
        String text = text(cause);
        String alert = alert(text);
        if (alert != null) {
            return "remote error: tls: " + ALERTS.getOrDefault(alert, alert.replace('_', ' '));
        }
        Matcher matcher = REASON.matcher(text);
        if (matcher.find()) {
            String name = matcher.group(1);
            return REASONS.getOrDefault(name, "tls: " + name.toLowerCase(java.util.Locale.ROOT).replace('_', ' '));
        }
        return REASONS_OF_JDK.getOrDefault(text, text);
    }

    private static @org.jspecify.annotations.Nullable String alert(String text) {
        Matcher matcher = ALERT.matcher(text);
        if (!matcher.find()) {
            return null;
        }
        for (int group = 1; group <= 3; group++) {
            if (matcher.group(group) != null) {
                return matcher.group(group).toLowerCase(java.util.Locale.ROOT);
            }
        }
        return null;
    }

    /** Whether the sides may have failed to find an algorithm that both have for what one of them would show. */
    static boolean mayBeForAlgorithms(Throwable cause) {
        String reason = reason(cause);
        return reason.equals(NOTHING_SHOWN) || reason.equals("remote error: tls: handshake failure")
                || text(cause).contains("NO_COMMON_SIGNATURE_ALGORITHMS")
                || text(cause).contains("WRONG_SIGNATURE_TYPE");
    }
}
