package dev.quoin.utl.inspect;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;

/**
 * What Kubernetes keeps of an object in etcd: four bytes, and then a {@code runtime.Unknown}, which says what the object is and
 * has it as bytes (k8s.io/apimachinery, runtime/serializer/protobuf). Objects of its users' own kinds it keeps as JSON.
 *
 * @param apiVersion {@code v1}, {@code apps/v1}
 * @param kind {@code Pod}
 * @param raw the object, a message whose form its kind tells
 */
record KubernetesObject(String apiVersion, String kind, Bytes raw) {
    private static final Bytes PREFIX = Bytes.of(new byte[]{'k', '8', 's', 0});

    private static final int TYPE_META = 1;
    private static final int RAW = 2;
    private static final int API_VERSION = 1;
    private static final int KIND = 2;

    /** Null if the value is no such thing. */
    static @Nullable KubernetesObject read(Bytes value) {
        if (value.length() < PREFIX.length() || !value.slice(0, PREFIX.length()).equals(PREFIX)) {
            return null;
        }
        try {
            return readUnknown(value.slice(PREFIX.length(), value.length() - PREFIX.length()));
        } catch (Malformed no) {
            return null;
        }
    }

    private static KubernetesObject readUnknown(Bytes unknown) {
        KubernetesObject object = new KubernetesObject("", "", Bytes.EMPTY);
        ProtoReader reader = new ProtoReader(unknown);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case TYPE_META -> object = object.withType(reader.bytes(tag));
                case RAW -> object = new KubernetesObject(object.apiVersion, object.kind, reader.bytes(tag));
                default -> reader.skip(tag);
            }
        }
        return object;
    }

    private KubernetesObject withType(Bytes typeMeta) {
        String foundVersion = "";
        String foundKind = "";
        ProtoReader reader = new ProtoReader(typeMeta);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case API_VERSION -> foundVersion = reader.bytes(tag).toUtf8();
                case KIND -> foundKind = reader.bytes(tag).toUtf8();
                default -> reader.skip(tag);
            }
        }
        return new KubernetesObject(foundVersion, foundKind, raw);
    }
}
