package dev.quoin.cert;

import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Pattern;

import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x509.GeneralName;
import org.jspecify.annotations.Nullable;

/**
 * Where a certificate's holder is found: a name of DNS, or an address (RFC 5280 §4.2.1.6). No name is looked up.
 *
 * @param text    as it was written, an address of IPv6 without brackets
 * @param address if it is one, else null
 */
record Host(String text, @Nullable InetAddress address) {
    private static final int NAME_CHARACTERS_MAX = 253;
    private static final Pattern NAME = Pattern.compile("(\\*\\.)?[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})*");
    private static final Pattern NUMBERS = Pattern.compile("[0-9.]+");
    private static final Pattern FOUR_NUMBERS = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");

    static Optional<Host> parse(String text) {
        String bare = text.startsWith("[") && text.endsWith("]") ? text.substring(1, text.length() - 1) : text;
        if (bare.contains(":")) {
            return bare.contains("%") ? Optional.empty() : address(bare);
        }
        if (NUMBERS.matcher(bare).matches()) {
            // Four and nothing less: Java takes "10.1" for an address, too.
            return FOUR_NUMBERS.matcher(bare).matches() ? address(bare) : Optional.empty();
        }
        return bare.length() <= NAME_CHARACTERS_MAX && NAME.matcher(bare).matches()
                ? Optional.of(new Host(bare, null))
                : Optional.empty();
    }

    private static Optional<Host> address(String text) {
        try {
            return Optional.of(new Host(text, InetAddress.ofLiteral(text)));
        } catch (IllegalArgumentException noAddress) {
            return Optional.empty();
        }
    }

    boolean isAddress() {
        return address != null;
    }

    /** Whether it stands for several names. */
    boolean isPattern() {
        return text.startsWith("*");
    }

    /** As it stands in an URL. */
    String inUrl() {
        return text.contains(":") ? "[" + text + "]" : text;
    }

    GeneralName inCertificate() {
        return address == null
                ? new GeneralName(GeneralName.dNSName, text)
                : new GeneralName(GeneralName.iPAddress, new DEROctetString(address.getAddress()));
    }
}
