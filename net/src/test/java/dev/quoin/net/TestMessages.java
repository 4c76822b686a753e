package dev.quoin.net;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * The messages of grpc.testing.TestService that the interop client uses, by hand: field numbers from grpc-proto's
 * messages.proto.
 */
final class TestMessages {
    private TestMessages() {}

    /** SimpleRequest and StreamingOutputCallRequest share their fields; whatever one lacks stays at its default. */
    record Request(int responseSize, Bytes payload, List<Output> outputs, @Nullable Status responseStatus) {
        static Request simple(Bytes encoded) {
            return read(encoded, false);
        }

        static Request streaming(Bytes encoded) {
            return read(encoded, true);
        }

        private static Request read(Bytes encoded, boolean streaming) {
            int size = 0;
            Bytes payload = Bytes.EMPTY;
            List<Output> outputs = new ArrayList<>();
            Status status = null;
            ProtoReader reader = new ProtoReader(encoded);
            for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
                switch (ProtoReader.field(tag)) {
                    case 2 -> {
                        if (streaming) {
                            outputs.add(Output.read(reader.bytes(tag)));
                        } else {
                            size = (int) reader.varint(tag);
                        }
                    }
                    case 3 -> payload = body(reader.bytes(tag));
                    case 7 -> status = status(reader.bytes(tag));
                    default -> reader.skip(tag);
                }
            }
            return new Request(size, payload, outputs, status);
        }
    }

    /** ResponseParameters. */
    record Output(int size, int intervalMicros) {
        static Output read(Bytes encoded) {
            int size = 0;
            int interval = 0;
            ProtoReader reader = new ProtoReader(encoded);
            for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
                switch (ProtoReader.field(tag)) {
                    case 1 -> size = (int) reader.varint(tag);
                    case 2 -> interval = (int) reader.varint(tag);
                    default -> reader.skip(tag);
                }
            }
            return new Output(size, interval);
        }
    }

    /** The size of the payload in a StreamingInputCallRequest. */
    static int inputSize(Bytes encoded) {
        ProtoReader reader = new ProtoReader(encoded);
        int size = 0;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (ProtoReader.field(tag) == 1) {
                size = body(reader.bytes(tag)).length();
            } else {
                reader.skip(tag);
            }
        }
        return size;
    }

    private static Bytes body(Bytes payload) {
        ProtoReader reader = new ProtoReader(payload);
        Bytes body = Bytes.EMPTY;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (ProtoReader.field(tag) == 2) {
                body = reader.bytes(tag);
            } else {
                reader.skip(tag);
            }
        }
        return body;
    }

    private static Status status(Bytes echo) {
        ProtoReader reader = new ProtoReader(echo);
        int code = 0;
        String message = "";
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> code = (int) reader.varint(tag);
                case 2 -> message = reader.bytes(tag).toUtf8();
                default -> reader.skip(tag);
            }
        }
        return Status.of(Status.Code.of(code), message);
    }

    /** A SimpleResponse or StreamingOutputCallResponse with a payload of so many zero bytes, in pieces. */
    static Bytes[] payload(int size) {
        ProtoWriter inner = new ProtoWriter(16);
        inner.tag(2, ProtoWriter.LENGTH_DELIMITED);
        inner.varint(size);
        ProtoWriter outer = new ProtoWriter(16);
        outer.tag(1, ProtoWriter.LENGTH_DELIMITED);
        outer.varint(inner.size() + (long) size);
        return new Bytes[]{Bytes.of(outer.toByteArray()), Bytes.of(inner.toByteArray()), Bytes.of(new byte[size])};
    }

    /** A StreamingInputCallResponse. */
    static Bytes aggregated(int size) {
        ProtoWriter writer = new ProtoWriter(16);
        writer.varintFieldIfSet(1, size);
        return Bytes.of(writer.toByteArray());
    }
}
