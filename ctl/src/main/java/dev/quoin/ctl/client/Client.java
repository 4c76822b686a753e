package dev.quoin.ctl.client;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;

import dev.quoin.api.etcdserverpb.AuthenticateRequest;
import dev.quoin.api.etcdserverpb.AuthenticateResponse;
import dev.quoin.ctl.cli.Log;
import dev.quoin.ctl.rpc.Call;
import dev.quoin.ctl.rpc.Channel;
import dev.quoin.ctl.rpc.Code;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;

/**
 * Calls to a cluster, with credentials, and with a second try where that is safe (etcd: client/v3/retry_interceptor.go): if the server
 * has certainly not seen the call; if it refused a token that was out of date; if the call only reads. Any thread's.
 */
public final class Client implements AutoCloseable {
    /** The version whose API this is. */
    private static final String API_VERSION = "3.7";
    private static final int ATTEMPTS_MAX = 100;
    private static final long PAUSE_MILLIS = 25;

    private final Channel channel;
    private final Credentials credentials;
    private final int sendBytesMax;
    private final Log log;
    private final String target;
    private volatile String token;

    /**
     * @param sendBytesMax how long a request may be
     * @param target what the servers are called in log lines
     */
    public Client(Channel channel, Credentials credentials, int sendBytesMax, Log log, String target) {
        this.channel = channel;
        this.credentials = credentials;
        this.sendBytesMax = sendBytesMax;
        this.log = log;
        this.target = target;
        this.token = credentials.token();
    }

    /** Asks for a token, if there are a user and a password; a server without authentication gives none. */
    public void authenticate(Deadline deadline) {
        if (!credentials.canAuthenticate()) {
            return;
        }
        AuthenticateRequest request = AuthenticateRequest.newBuilder().setName(credentials.user())
                .setPassword(credentials.password()).build();
        token = "";
        try {
            token = call(Method.AUTHENTICATE, request, AuthenticateResponse.parser(), deadline).getToken();
        } catch (RpcException why) {
            if (!Errors.is(why, Errors.AUTH_NOT_ENABLED)) {
                throw why;
            }
        }
    }

    /** Ends its connection. */
    @Override
    public void close() {
        channel.close();
    }

    /**
     * What came back.
     *
     * @param headers before the message, by their names in small letters
     */
    public record Answer<T>(T message, Map<String, String> headers) {}

    /** Calls, and waits for the answer. */
    public <T> T call(Method method, MessageLite request, Parser<T> answers, Deadline deadline) {
        return ask(method, request, answers, deadline).message();
    }

    /** Calls, and waits for the answer with its headers. */
    public <T> Answer<T> ask(Method method, MessageLite request, Parser<T> answers, Deadline deadline) {
        byte[] bytes = request.toByteArray();
        for (int attempt = 0;; attempt++) {
            try {
                return once(method, bytes, answers, deadline);
            } catch (RpcException why) {
                log.line("warn", "retrying of unary invoker failed", "target", target, "method", method.path(),
                        "attempt", Integer.toString(attempt), "error", String.valueOf(why.getMessage()));
                if (attempt + 1 == ATTEMPTS_MAX || !mayRepeat(method, why, deadline)) {
                    throw why;
                }
                pause(attempt);
            }
        }
    }

    private <T> Answer<T> once(Method method, byte[] request, Parser<T> answers, Deadline deadline) {
        if (request.length > sendBytesMax) {
            throw RpcException.untouched(Code.RESOURCE_EXHAUSTED,
                    "trying to send message larger than max (" + request.length + " vs. " + sendBytesMax + ")");
        }
        try (Call call = begin(method, Map.of(), deadline)) {
            call.sendLast(request);
            byte[] answer = call.receive();
            if (answer == null || call.receive() != null) {
                throw RpcException.unknown(Code.INTERNAL, "cardinality violation: expected one answer");
            }
            return new Answer<>(parse(answers, answer), call.headers());
        }
    }

    /** Reads a message; one that cannot be read is the server's fault. */
    public static <T> T parse(Parser<T> parser, byte[] message) {
        try {
            return parser.parseFrom(message);
        } catch (InvalidProtocolBufferException why) {
            throw RpcException.unknown(Code.INTERNAL,
                    "grpc: failed to unmarshal the received message: " + why.getMessage());
        }
    }

    /** Begins a stream, once. */
    public Call begin(Method method, Map<String, String> more, Deadline deadline) {
        Map<String, String> metadata = new TreeMap<>(more);
        metadata.put("client-api-version", API_VERSION);
        if (!token.isEmpty()) {
            metadata.put("token", token);
        }
        return channel.begin(method.path(), metadata, deadline);
    }

    private boolean mayRepeat(Method method, RpcException why, Deadline deadline) {
        if (why.isLate() || why.code() == Code.CANCELED) {
            return false;
        }
        boolean isOldToken = Errors.is(why, Errors.INVALID_AUTH_TOKEN) || Errors.is(why, Errors.AUTH_OLD_REVISION);
        boolean isNoToken = Errors.is(why, Errors.USER_EMPTY) && credentials.canAuthenticate();
        if ((isOldToken || isNoToken) && credentials.token().isEmpty() && method != Method.AUTHENTICATE) {
            // The server has looked at the token, and at nothing else.
            authenticate(deadline);
            return true;
        }
        if (Errors.is(why, Errors.NOT_SUPPORTED_FOR_LEARNER) && channel.size() > 1) {
            channel.turn();
            return true;
        }
        boolean isSafe = method.isRepeatable() || why.outcome() == RpcException.Outcome.UNTOUCHED;
        if (why.code() == Code.UNAVAILABLE && isSafe) {
            channel.turn();
            return true;
        }
        return false;
    }

    /** Having asked a majority of the servers, waits a little. */
    private void pause(int attempt) {
        if ((attempt + 1) % (channel.size() / 2 + 1) == 0) {
            sleep(PAUSE_MILLIS + ThreadLocalRandom.current().nextLong(PAUSE_MILLIS / 5));
        }
    }

    static void sleep(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw RpcException.unknown(Code.CANCELED, "context canceled");
        }
    }
}
