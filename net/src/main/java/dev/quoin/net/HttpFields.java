package dev.quoin.net;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;

import org.jspecify.annotations.Nullable;

/** HTTP header fields in order, found by lower-case name. Immutable; bounded by the header limits of the connection. */
public final class HttpFields {
    public static final HttpFields EMPTY = new HttpFields(List.of());

    private final List<Field> fields;

    private record Field(String name, String value) {}

    private HttpFields(List<Field> fields) {
        this.fields = fields;
    }

    /** These names and values in turn. */
    public static HttpFields of(String... namesAndValues) {
        HttpFields fields = EMPTY;
        for (int i = 0; i + 1 < namesAndValues.length; i += 2) {
            fields = fields.with(namesAndValues[i], namesAndValues[i + 1]);
        }
        return fields;
    }

    /** These fields and one more. */
    public HttpFields with(String name, String value) {
        List<Field> more = new ArrayList<>(fields);
        more.add(new Field(name.toLowerCase(Locale.ROOT), value));
        return new HttpFields(List.copyOf(more));
    }

    /** Collects without copying each time; only while reading a request. */
    static HttpFields collect(java.util.function.Consumer<BiConsumer<String, String>> source) {
        List<Field> list = new ArrayList<>();
        source.accept((name, value) -> list.add(new Field(name.toLowerCase(Locale.ROOT), value)));
        return list.isEmpty() ? EMPTY : new HttpFields(List.copyOf(list));
    }

    /** The first value under this lower-case name, or null. */
    public @Nullable String first(String name) {
        for (Field field : fields) {
            if (field.name.equals(name)) {
                return field.value;
            }
        }
        return null;
    }

    public List<String> all(String name) {
        return fields.stream().filter(field -> field.name.equals(name)).map(Field::value).toList();
    }

    public void forEach(BiConsumer<String, String> visitor) {
        for (Field field : fields) {
            visitor.accept(field.name, field.value);
        }
    }
}
