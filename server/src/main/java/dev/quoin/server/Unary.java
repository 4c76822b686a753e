package dev.quoin.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;

import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.StatusException;

/** A unary method on generated messages, for all that is not asked a thousand times a second. Runs on a virtual thread. */
@FunctionalInterface
interface Unary<Q extends MessageLite, A extends MessageLite> {
    A handle(Call call, Q request) throws StatusException, InterruptedException;

    static <Q extends MessageLite, A extends MessageLite> Method method(String path, Parser<Q> parser,
            Unary<Q, A> unary) {
        return Method.virtual(path, (call, message) -> {
            return Bytes.of(unary.handle(call, parsed(parser, message)).toByteArray());
        });
    }

    /** The message as what it is to be; throws what grpc-go answers if it is not. */
    static <Q extends MessageLite> Q parsed(Parser<Q> parser, Bytes message) throws StatusException {
        try {
            return parser.parseFrom(ByteString.copyFrom(message.array(), message.offset(), message.length()));
        } catch (InvalidProtocolBufferException e) {
            throw new StatusException(Errors.unreadable(String.valueOf(e.getMessage())));
        }
    }
}
