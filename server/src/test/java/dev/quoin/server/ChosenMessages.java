package dev.quoin.server;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;

import dev.quoin.base.Bytes;

/**
 * Messages of a type as choices make them: half of them well formed, field by field, the other half bytes as they come. What a
 * field is given is mostly something that there is in a {@link FuzzedServer}, so that requests get beyond the first check.
 */
final class ChosenMessages {
    private static final int DEPTH_MAX = 4;
    private static final int REPEATED_MAX = 3;
    private static final List<String> TEXTS = List.of("", "a", "b", "c", "\0", "root", "alice", "reader", "secret",
            "lock",
            "lock/2", "lock/1", "election", "election/1", "election/2", "http://127.0.0.1:1", "http://127.0.0.1:0",
            "127.0.0.1:1", "unix://m", "3.6.0", "3.6", "3.8.0", "v3.7", "x".repeat(80));
    private static final List<ByteString> BYTES = TEXTS.stream().map(ByteString::copyFromUtf8).toList();

    private final Choices choices;
    private final List<Long> numbers;

    /** @param memberId of the server */
    ChosenMessages(Choices choices, long memberId) {
        this.choices = choices;
        numbers = Stream
                .of(0L, 1L, 2L, 3L, 4L, 5L, 7L, 10L, 60L, -1L, 1L << 31, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE,
                        memberId)
                .toList();
    }

    /** The next one, encoded. */
    Bytes next(Descriptor type) {
        return Bytes.of(choices.of(2) == 0 ? choices.bytes(choices.of(256)) : message(type, 1).toByteArray());
    }

    private DynamicMessage message(Descriptor type, int depth) {
        DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
        for (FieldDescriptor field : type.getFields()) {
            int count = choices.of(field.isRepeated() ? REPEATED_MAX + 1 : 2);
            boolean isTooDeep = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && depth == DEPTH_MAX;
            for (int i = 0; i < count && !isTooDeep; i++) {
                Object value = value(field, depth);
                if (field.isRepeated()) {
                    message.addRepeatedField(field, value);
                } else {
                    message.setField(field, value);
                }
            }
        }
        return message.build();
    }

    private Object value(FieldDescriptor field, int depth) {
        return switch (field.getJavaType()) {
            case BOOLEAN -> choices.of(2) == 1;
            case INT -> (int) number();
            case LONG -> number();
            case STRING -> text();
            case BYTE_STRING -> bytes();
            case ENUM -> member(field.getEnumType());
            case MESSAGE -> message(field.getMessageType(), depth + 1);
            case FLOAT, DOUBLE -> throw new AssertionError("etcd has no such field: " + field);
        };
    }

    private long number() {
        int which = choices.of(numbers.size() + 1);
        return which < numbers.size() ? numbers.get(which) : choices.number();
    }

    private String text() {
        int which = choices.of(TEXTS.size() + 1);
        return which < TEXTS.size()
                ? TEXTS.get(which)
                : new String(choices.bytes(choices.of(256)), StandardCharsets.UTF_8);
    }

    private ByteString bytes() {
        int which = choices.of(BYTES.size() + 1);
        return which < BYTES.size() ? BYTES.get(which) : ByteString.copyFrom(choices.bytes(choices.of(256)));
    }

    /** One that there is, or the one behind them. */
    private Object member(EnumDescriptor type) {
        int which = choices.of(type.getValues().size() + 1);
        return which < type.getValues().size()
                ? type.getValues().get(which)
                : type.findValueByNumberCreatingIfUnknown(which + 1);
    }
}
