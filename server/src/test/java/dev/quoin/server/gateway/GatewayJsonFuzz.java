package dev.quoin.server.gateway;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.net.HttpBody;
import dev.quoin.net.StatusException;

/** A body of the gateway: the first byte chooses the type of its messages. What is taken is printed, and must be taken again. */
public final class GatewayJsonFuzz {
    private static final int BYTES_MAX = 1 << 20;
    private static final List<Descriptor> TYPES = new Routes().all().values().stream()
            .map(route -> route.method().getInputType()).distinct()
            .sorted(Comparator.comparing(Descriptor::getFullName)).toList();

    private GatewayJsonFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) throws InterruptedException, IOException {
        if (input.length == 0) {
            return;
        }
        Descriptor type = TYPES.get((input[0] & 0xff) % TYPES.size());
        Bytes body = Bytes.of(input, 1, input.length - 1);
        try (Documents documents = new Documents(whole(body), true, BYTES_MAX, new BodyBudget(BYTES_MAX))) {
            for (Bytes one = documents.next(); one != null; one = documents.next()) {
                check(JsonParser.parse(one, type), type);
            }
        } catch (StatusException | JsonTokens.Refused refused) {
            return; // with a text for the client
        }
    }

    private static void check(DynamicMessage message, Descriptor type) throws IOException {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        JsonPrinter.print(message.toByteString().newInput(), type, json, false);
        try {
            DynamicMessage again = JsonParser.parse(Bytes.of(json.toByteArray()), type);
            Invariant.check(again.toByteString().equals(message.toByteString()), "%s becomes %s", message, again);
        } catch (JsonTokens.Refused refused) {
            throw new AssertionError(json.toString(java.nio.charset.StandardCharsets.UTF_8), refused);
        }
    }

    private static HttpBody whole(Bytes body) {
        Iterator<Bytes> next = body.isEmpty() ? List.<Bytes>of().iterator() : List.of(body).iterator();
        return new HttpBody() {
            @Override
            public @Nullable Bytes next() {
                return next.hasNext() ? next.next() : null;
            }

            @Override
            public @Nullable Bytes awaitNext() {
                return next();
            }

            @Override
            public void whenGone(Runnable task) {}
        };
    }
}
