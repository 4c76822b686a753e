package dev.quoin.trial;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;

/**
 * Everything in {@code .proto} files that shows on the wire or in JSON, as a set of sentences: one for each message, field,
 * oneof, enum, value, service and call. Trial/go's {@code protofacts} prints the same of etcd's Go packages.
 */
final class ProtoFacts {
    private final SortedSet<String> facts = new TreeSet<>();

    private ProtoFacts() {}

    static SortedSet<String> of(Collection<FileDescriptor> files) {
        ProtoFacts all = new ProtoFacts();
        files.forEach(all::file);
        return all.facts;
    }

    private void file(FileDescriptor file) {
        file.getMessageTypes().forEach(this::message);
        file.getEnumTypes().forEach(this::enumeration);
        file.getExtensions().forEach(field -> field(field, "extension"));
        file.getServices().forEach(this::service);
    }

    private void service(ServiceDescriptor service) {
        facts.add("service " + service.getFullName());
        for (MethodDescriptor call : service.getMethods()) {
            facts.add("rpc " + call.getFullName() + ": " + (call.isClientStreaming() ? "stream " : "")
                    + call.getInputType().getFullName() + " -> " + (call.isServerStreaming() ? "stream " : "")
                    + call.getOutputType().getFullName());
        }
    }

    private void message(Descriptor message) {
        facts.add("message " + message.getFullName());
        message.getFields().forEach(field -> field(field, "field"));
        for (OneofDescriptor oneof : message.getOneofs()) {
            facts.add("oneof " + oneof.getFullName());
        }
        message.getNestedTypes().forEach(this::message);
        message.getEnumTypes().forEach(this::enumeration);
    }

    private void field(FieldDescriptor field, String what) {
        OneofDescriptor oneof = field.getContainingOneof();
        facts.add(what + " " + field.getFullName() + " = " + field.getNumber() + ": " + cardinality(field) + " "
                + kind(field) + ", json " + field.getJsonName() + (field.isPacked() ? ", packed" : "")
                + (field.hasPresence() ? ", presence" : "") + (oneof == null ? "" : " in " + oneof.getName()));
        if (field.hasDefaultValue()) {
            facts.add("default " + field.getFullName() + " = " + field.getDefaultValue());
        }
    }

    private static String cardinality(FieldDescriptor field) {
        return field.isRepeated() ? "repeated" : field.isRequired() ? "required" : "optional";
    }

    private static String kind(FieldDescriptor field) {
        return switch (field.getJavaType()) {
            case MESSAGE -> field.getMessageType().getFullName();
            case ENUM -> field.getEnumType().getFullName();
            default -> field.getType().name().toLowerCase(Locale.ROOT);
        };
    }

    private void enumeration(EnumDescriptor type) {
        facts.add("enum " + type.getFullName() + (type.isClosed() ? ", closed" : ""));
        for (EnumValueDescriptor value : List.copyOf(type.getValues())) {
            facts.add("value " + type.getFullName() + "." + value.getName() + " = " + value.getNumber());
        }
    }
}
