package dev.quoin.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;

import dev.quoin.base.Bytes;

/**
 * Answers a stored 256-byte value on {@code /kv.KV/Range}: what the front costs with nothing behind it. Run by hand:
 * {@code StoredValueServer PORT [direct|turn|virtual]}.
 */
final class StoredValueServer {
    private StoredValueServer() {}

    public static void main(String[] args) throws Exception {
        String mode = args.length > 1 ? args[1] : "direct";
        Bytes answer = Bytes.of(new byte[256]);
        Method method = switch (mode) {
            case "virtual" -> Method.virtual("/kv.KV/Range", (call, request) -> answer);
            case "outbox" -> Method.hot("/kv.KV/Range", Method.Kind.UNARY, (call, message) -> {
                Thread.startVirtualThread(() -> call.finish(answer));
            });
            default -> Method.hot("/kv.KV/Range", Method.Kind.UNARY, (call, message) -> call.finish(answer));
        };
        NetServer server = NetServer.start(NetConfig.plain(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])), Router.of(method),
                request -> HttpResponse.text(404, "not found\n")));
        System.out.println("listening on " + server.port());
        Thread.currentThread().join();
    }
}
