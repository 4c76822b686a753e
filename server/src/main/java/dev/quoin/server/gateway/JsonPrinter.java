package dev.quoin.server.gateway;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.WireFormat;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;
import dev.quoin.net.Status;

/**
 * Messages as JSON, as Go's protojson writes them with UseProtoNames (encoding/protojson, encode.go): no white space, numbers of
 * 64 bits as strings, bytes as base64, enums by name, what is not set left out. Written while the message is read, so that of a
 * message of any size one value is held.
 *
 * <p>For that, fields have to come in the order of their numbers, which our own messages keep, and the order of numbers has to
 * be that in which the proto declares them, which {@code JsonPrinterTest} knows of all answers.
 */
final class JsonPrinter {
    private final CodedInputStream in;
    private final OutputStream out;
    private final boolean isForHtml;

    private JsonPrinter(CodedInputStream in, OutputStream out, boolean isForHtml) {
        this.in = in;
        this.out = out;
        this.isForHtml = isForHtml;
    }

    /**
     * Writes the message that {@code content} is.
     *
     * @param isForHtml whether {@code <}, {@code >} and {@code &} are escaped, as encoding/json does with the lines of a stream
     * @throws IOException if one of the streams fails, or the message ends too early
     */
    static void print(InputStream content, Descriptor type, OutputStream out, boolean isForHtml) throws IOException {
        new JsonPrinter(CodedInputStream.newInstance(content), out, isForHtml).message(type);
    }

    /** A {@code google.rpc.Status} without details. */
    static void print(Status status, OutputStream out, boolean isForHtml) throws IOException {
        JsonPrinter printer = new JsonPrinter(CodedInputStream.newInstance(new byte[0]), out, isForHtml);
        printer.ascii("{");
        if (!status.isOk()) {
            printer.ascii("\"code\":" + status.code().number());
        }
        if (!status.message().isEmpty()) {
            printer.ascii(status.isOk() ? "\"message\":" : ",\"message\":");
            printer.string(status.message());
        }
        printer.ascii("}");
    }

    private void message(Descriptor type) throws IOException {
        ascii("{");
        FieldDescriptor last = null;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            FieldDescriptor field = type.findFieldByNumber(WireFormat.getTagFieldNumber(tag));
            if (field == null) {
                in.skipField(tag);
                continue;
            }
            checkOrder(type, last, field);
            if (field.isRepeated()) {
                begin(last, field);
                value(field);
                last = field;
            } else if (singular(last, field)) {
                last = field;
            }
        }
        close(last);
        ascii("}");
    }

    private static void checkOrder(Descriptor type, @Nullable FieldDescriptor last, FieldDescriptor field) {
        if (last != null && field.getNumber() <= last.getNumber() && (!field.equals(last) || !field.isRepeated())) {
            throw new IllegalStateException("fields of " + type.getFullName() + " are not in order");
        }
    }

    /** What stands before an element or a value: the end of a list before it, its name, a comma. */
    private void begin(@Nullable FieldDescriptor last, FieldDescriptor field) throws IOException {
        if (field.equals(last)) {
            ascii(",");
            return;
        }
        close(last);
        ascii(last == null ? "\"" : ",\"");
        ascii(field.getName());
        ascii(field.isRepeated() ? "\":[" : "\":");
    }

    private void close(@Nullable FieldDescriptor last) throws IOException {
        if (last != null && last.isRepeated()) {
            ascii("]");
        }
    }

    /** Whether it was written: not if it has the value that it has unless told otherwise. */
    private boolean singular(@Nullable FieldDescriptor last, FieldDescriptor field) throws IOException {
        if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            begin(last, field);
            value(field);
            return true;
        }
        Object value = scalar(field);
        if (!field.hasPresence() && isInitial(value)) {
            return false;
        }
        begin(last, field);
        write(value);
        return true;
    }

    private void value(FieldDescriptor field) throws IOException {
        if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
            write(scalar(field));
            return;
        }
        int before = in.pushLimit(in.readRawVarint32());
        message(field.getMessageType());
        in.popLimit(before);
    }

    /** An enum by its name if it has one. */
    private record Named(int number, @Nullable String name) {}

    /** A number that does not lose its sign, or its size, on the way into a program that has doubles. */
    private record Wide(String text) {}

    private Object scalar(FieldDescriptor field) throws IOException {
        return switch (field.getType()) {
            case BOOL -> in.readBool();
            case STRING -> in.readString();
            case BYTES -> in.readByteArray();
            case INT32 -> in.readInt32();
            case UINT32 -> Integer.toUnsignedLong(in.readUInt32());
            case INT64 -> new Wide(Long.toString(in.readInt64()));
            case UINT64 -> new Wide(Long.toUnsignedString(in.readUInt64()));
            case ENUM -> {
                int number = in.readEnum();
                EnumValueDescriptor known = field.getEnumType().findValueByNumber(number);
                yield new Named(number, known == null ? null : known.getName());
            }
            default -> throw Invariant.violation("no answer has a field such as %s", field.getFullName());
        };
    }

    private static boolean isInitial(Object value) {
        return switch (value) {
            case Boolean truth -> !truth;
            case String text -> text.isEmpty();
            case byte[] bytes -> bytes.length == 0;
            case Wide(String text) -> text.equals("0");
            case Named(int number, String _) -> number == 0;
            case Number number -> number.longValue() == 0;
            default -> throw Invariant.violation("no value of a field: %s", value);
        };
    }

    private void write(Object value) throws IOException {
        switch (value) {
            case String text -> string(text);
            case byte[] bytes -> {
                ascii("\"");
                out.write(Base64.getEncoder().encode(bytes));
                ascii("\"");
            }
            case Wide(String text) -> ascii("\"" + text + "\"");
            case Named(int number, String name) -> ascii(name == null ? Integer.toString(number) : "\"" + name + "\"");
            default -> ascii(value.toString());
        }
    }

    private void string(String text) throws IOException {
        StringBuilder escaped = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> escaped.append("\\\"");
                case '\\' -> escaped.append("\\\\");
                case '\b' -> escaped.append("\\b");
                case '\f' -> escaped.append("\\f");
                case '\n' -> escaped.append("\\n");
                case '\r' -> escaped.append("\\r");
                case '\t' -> escaped.append("\\t");
                default -> {
                    boolean isOfHtml = c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029;
                    if (c < 0x20 || (isForHtml && isOfHtml)) {
                        escaped.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        escaped.append(c);
                    }
                }
            }
        }
        out.write(escaped.append('"').toString().getBytes(StandardCharsets.UTF_8));
    }

    private void ascii(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
    }
}
