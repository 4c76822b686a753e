package dev.quoin.server.gateway;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.DynamicMessage;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.server.gateway.JsonTokens.Kind;
import dev.quoin.server.gateway.JsonTokens.Refused;
import dev.quoin.server.gateway.JsonTokens.Token;

/**
 * JSON to messages, as Go's protojson does it with DiscardUnknown (encoding/protojson, decode.go): names as in the proto or in
 * camel case, numbers of 64 bits as numbers or strings, bytes as base64, enums by name or number; null is as if it were not
 * there; what is not known is left out, a name of an enum too. The same field twice is an error, and so are two of a choice.
 *
 * <p>A document has passed the {@link JsonScanner}, which bounds its depth. Any thread.
 */
final class JsonParser {
    private static final BigInteger UINT32_MAX = BigInteger.ONE.shiftLeft(32).subtract(BigInteger.ONE);
    private static final BigInteger UINT64_MAX = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

    /** Fields by both their names. */
    private static final Map<Descriptor, Map<String, FieldDescriptor>> NAMES = new ConcurrentHashMap<>();

    private final JsonTokens tokens;

    private JsonParser(JsonTokens tokens) {
        this.tokens = tokens;
    }

    /**
     * The message that a document says.
     *
     * @throws Refused why it is none of that type; the text is for the client
     */
    static DynamicMessage parse(Bytes document, Descriptor type) throws Refused {
        return new JsonParser(new JsonTokens(document)).message(type);
    }

    private DynamicMessage message(Descriptor type) throws Refused {
        Token open = tokens.next();
        if (open.kind() != Kind.OBJECT) {
            throw tokens.unexpected(open);
        }
        DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
        Set<FieldDescriptor> seen = new HashSet<>();
        Set<OneofDescriptor> chosen = new HashSet<>();
        for (Token name = tokens.next(); name.kind() != Kind.OBJECT_END; name = tokens.next()) {
            FieldDescriptor field = names(type).get(tokens.text(name));
            if (field == null) {
                tokens.skipValue();
                continue;
            }
            if (!seen.add(field)) {
                throw tokens.refused(name, "duplicate field " + tokens.raw(name));
            }
            if (tokens.peek() == Kind.NULL) {
                tokens.next();
            } else if (field.isRepeated()) {
                list(message, field);
            } else {
                OneofDescriptor choice = field.getRealContainingOneof();
                if (choice != null && !chosen.add(choice)) {
                    throw tokens.refused(name, "error parsing " + tokens.raw(name) + ", oneof "
                            + choice.getFullName() + " is already set");
                }
                Object value = value(field);
                if (value != null) {
                    message.setField(field, value);
                }
            }
        }
        return message.build();
    }

    private static Map<String, FieldDescriptor> names(Descriptor type) {
        return NAMES.computeIfAbsent(type, of -> {
            Map<String, FieldDescriptor> names = new HashMap<>();
            of.getFields().forEach(field -> names.put(field.getName(), field));
            of.getFields().forEach(field -> names.put(field.getJsonName(), field));
            return names;
        });
    }

    private void list(DynamicMessage.Builder message, FieldDescriptor field) throws Refused {
        Token open = tokens.next();
        if (open.kind() != Kind.ARRAY) {
            throw tokens.unexpected(open);
        }
        while (tokens.peek() != Kind.ARRAY_END) {
            Object value = value(field);
            if (value != null) {
                message.addRepeatedField(field, value);
            }
        }
        tokens.next();
    }

    /** One value; null if it is to be left out. */
    private @Nullable Object value(FieldDescriptor field) throws Refused {
        if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            return message(field.getMessageType());
        }
        Token token = tokens.next();
        if (field.getJavaType() == FieldDescriptor.JavaType.ENUM && token.kind() == Kind.STRING) {
            return field.getEnumType().findValueByName(tokens.text(token));
        }
        Object value = scalar(field, token);
        if (value == null) {
            throw tokens.refused(token, "invalid value for " + field.getType().name().toLowerCase(java.util.Locale.ROOT)
                    + " field " + field.getJsonName() + ": " + tokens.raw(token));
        }
        return value;
    }

    /** Null if the token says nothing that the field could hold. */
    private @Nullable Object scalar(FieldDescriptor field, Token token) throws Refused {
        return switch (field.getType()) {
            case BOOL -> token.kind() == Kind.TRUE ? Boolean.TRUE : token.kind() == Kind.FALSE ? Boolean.FALSE : null;
            case STRING -> token.kind() == Kind.STRING ? tokens.text(token) : null;
            case BYTES -> token.kind() == Kind.STRING ? bytes(tokens.text(token)) : null;
            case INT32, SINT32, SFIXED32 -> {
                BigInteger number = signed(token, 31);
                yield number == null ? null : number.intValue();
            }
            case INT64, SINT64, SFIXED64 -> {
                BigInteger number = signed(token, 63);
                yield number == null ? null : number.longValue();
            }
            case UINT32, FIXED32 -> {
                BigInteger number = unsigned(token, UINT32_MAX);
                yield number == null ? null : number.intValue();
            }
            case UINT64, FIXED64 -> {
                BigInteger number = unsigned(token, UINT64_MAX);
                yield number == null ? null : number.longValue();
            }
            case ENUM -> token.kind() == Kind.NUMBER ? enumValue(field, token) : null;
            case FLOAT, DOUBLE, MESSAGE, GROUP ->
                throw new IllegalStateException("no request has such a field: " + field.getFullName());
        };
    }

    private static @Nullable ByteString bytes(String text) {
        byte[] decoded = GoBase64.decode(text);
        return decoded == null ? null : ByteString.copyFrom(decoded);
    }

    private @Nullable EnumValueDescriptor enumValue(FieldDescriptor field, Token token) throws Refused {
        BigInteger number = signed(token, 31);
        return number == null ? null : field.getEnumType().findValueByNumberCreatingIfUnknown(number.intValue());
    }

    private @Nullable BigInteger signed(Token token, int bits) throws Refused {
        BigInteger number = number(token);
        return number == null || number.bitLength() > bits ? null : number;
    }

    private @Nullable BigInteger unsigned(Token token, BigInteger max) throws Refused {
        BigInteger number = number(token);
        return number == null || number.signum() < 0 || number.compareTo(max) > 0 ? null : number;
    }

    /** Also from a string that has no space around it. */
    private @Nullable BigInteger number(Token token) throws Refused {
        return switch (token.kind()) {
            case NUMBER -> GoNumber.whole(tokens.raw(token));
            case STRING -> {
                String text = tokens.text(token);
                yield text.strip().length() == text.length() ? GoNumber.whole(text) : null;
            }
            default -> null;
        };
    }
}
