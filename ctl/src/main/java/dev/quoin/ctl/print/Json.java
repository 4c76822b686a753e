package dev.quoin.ctl.print;

import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;

import com.google.protobuf.ByteString;

import dev.quoin.ctl.text.GoJson;

/**
 * One line of JSON in the making, as Go's {@code encoding/json} writes structs: bytes in base64, numbers as numbers. The methods with a
 * name leave out what is zero or empty ({@code omitempty}).
 */
final class Json {
    private final StringBuilder text = new StringBuilder();
    private boolean needsComma;

    private Json comma() {
        if (needsComma) {
            text.append(',');
        }
        needsComma = true;
        return this;
    }

    /** An object; what it holds is written by {@code inside}. */
    Json object(Runnable inside) {
        comma();
        text.append('{');
        needsComma = false;
        inside.run();
        text.append('}');
        needsComma = true;
        return this;
    }

    /** An array of what {@code each} writes for an item. */
    <T> Json array(List<T> items, Consumer<T> each) {
        comma();
        text.append('[');
        needsComma = false;
        items.forEach(each);
        text.append(']');
        needsComma = true;
        return this;
    }

    Json name(String name) {
        comma();
        GoJson.quote(text, name);
        text.append(':');
        needsComma = false;
        return this;
    }

    Json value(long number) {
        comma();
        text.append(number);
        return this;
    }

    Json value(boolean flag) {
        comma();
        text.append(flag);
        return this;
    }

    Json value(String string) {
        comma();
        GoJson.quote(text, string);
        return this;
    }

    Json value(ByteString bytes) {
        comma();
        text.append('"').append(Base64.getEncoder().encodeToString(bytes.toByteArray())).append('"');
        return this;
    }

    Json nothing() {
        comma();
        text.append("null");
        return this;
    }

    Json number(String name, long number) {
        return number == 0 ? this : name(name).value(number);
    }

    Json unsigned(String name, long number) {
        if (number != 0) {
            name(name).comma();
            text.append(Long.toUnsignedString(number));
        }
        return this;
    }

    Json flag(String name, boolean flag) {
        return flag ? name(name).value(true) : this;
    }

    Json string(String name, String string) {
        return string.isEmpty() ? this : name(name).value(string);
    }

    Json bytes(String name, ByteString bytes) {
        return bytes.isEmpty() ? this : name(name).value(bytes);
    }

    Json strings(String name, List<String> strings) {
        return strings.isEmpty() ? this : name(name).array(strings, this::value);
    }

    <T> Json objects(String name, List<T> items, Consumer<T> each) {
        return items.isEmpty() ? this : name(name).array(items, item -> object(() -> each.accept(item)));
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
