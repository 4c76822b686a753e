package dev.quoin.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;

import dev.quoin.base.Bytes;

/**
 * Answers a stored 256-byte value on {@code /kv.KV/Range}: what the front costs with nothing behind it. Run by hand:
 * {@code StoredValueServer PORT [direct|turn|virtual]}, where {@code turn} hands each turn's calls to another thread and
 * back.
 */
final class StoredValueServer {
    private static final Bytes ANSWER = Bytes.of(new byte[256]);

    private StoredValueServer() {}

    public static void main(String[] args) throws Exception {
        String mode = args.length > 1 ? args[1] : "direct";
        List<Call> gathered = new ArrayList<>(); // One loop, so one owner.
        LinkedBlockingQueue<List<Call>> handedOver = new LinkedBlockingQueue<>();
        Method method = switch (mode) {
            case "virtual" -> Method.virtual("/kv.KV/Range", (call, request) -> ANSWER);
            case "turn" -> Method.hot("/kv.KV/Range", Method.Kind.UNARY, (call, message) -> gathered.add(call));
            default -> Method.hot("/kv.KV/Range", Method.Kind.UNARY, (call, message) -> call.finish(ANSWER));
        };
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]));
        NetServer server = NetServer.start(
                NetConfig.plain(address, Router.of(method), request -> HttpResponse.text(404, "not found\n"))
                        .withTurn(loop -> {
                            if (!gathered.isEmpty()) {
                                handedOver.add(List.copyOf(gathered));
                                gathered.clear();
                            }
                        }));
        System.out.println("listening on " + server.port());
        while (true) {
            for (Call call : handedOver.take()) {
                call.finish(ANSWER);
            }
        }
    }
}
