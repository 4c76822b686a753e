package dev.quoin.ctl.text;

/** Texts in JSON as Go's {@code encoding/json} writes them: safe inside HTML, too. */
public final class GoJson {
    private static final String HEX = "0123456789abcdef";

    private GoJson() {}

    /** Adds the text in quotes. */
    public static void quote(StringBuilder json, String text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\b' -> json.append("\\b");
                case '\f' -> json.append("\\f");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                case '<', '>', '&', '\u2028', '\u2029' -> unicode(json, c);
                default -> {
                    if (c < 0x20) {
                        unicode(json, c);
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
    }

    private static void unicode(StringBuilder json, char c) {
        json.append("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) {
            json.append(HEX.charAt((c >> shift) & 15));
        }
    }
}
