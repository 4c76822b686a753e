package dev.quoin.server.metrics;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.quoin.net.CallEnd;
import dev.quoin.net.End;
import dev.quoin.net.Method;
import dev.quoin.net.NetMetrics;
import dev.quoin.net.Status;

/**
 * What happens at the client port: grpc_server_* as etcd's interceptors count it (go-grpc-middleware), etcd's own counters
 * of clients, and which of our bounds were met. Unlike etcd's it counts a call when it is opened and not when its message
 * is there, and of a stream the messages alone, not its end.
 */
public final class RpcMetrics implements NetMetrics {
    /** Whoever wants to know more of a call that is over. */
    @FunctionalInterface
    public interface Ends {
        Ends NOBODY = end -> {};

        /** On the event loop, for each call: must be quick. */
        void ended(CallEnd end);
    }

    /** Whom the ends of a method concern; asked once for each. */
    @FunctionalInterface
    public interface Listeners {
        Ends of(Method method);
    }

    private static final String[] METHOD = {"grpc_type", "grpc_service", "grpc_method"};
    private static final String NO_VERSION = "unknown";
    private static final int VERSION_CHARS_MAX = 32;

    private final Listeners listeners;
    private final Labelled<Counter> started;
    private final Labelled<Counter> handled;
    private final Labelled<Counter> received;
    private final Labelled<Counter> sent;
    private final @Nullable Labelled<Histogram> handling;
    private final Labelled<Counter> clients;
    private final Counter receivedBytes;
    private final Counter sentBytes;
    private final Labelled<Counter> streamFailures;
    private final Map<Refusal, Counter> refusals = new EnumMap<>(Refusal.class);
    private final Labelled<Counter> connections;
    private final Counter socketReceived;
    private final Counter socketSent;

    /**
     * All of the client port.
     *
     * @param limits where bounds that were met are counted, by their names
     * @param isExtensive whether the time of each call is shown for each method, which is a lot to keep
     */
    RpcMetrics(Registry registry, Labelled<Counter> limits, boolean isExtensive, Listeners listeners) {
        this.listeners = listeners;
        started = registry.counters("grpc_server_started_total", "Total number of RPCs started on the server.", METHOD);
        handled = registry.counters("grpc_server_handled_total",
                "Total number of RPCs completed on the server, regardless of success or failure.", "grpc_type",
                "grpc_service", "grpc_method", "grpc_code");
        received = registry.counters("grpc_server_msg_received_total",
                "Total number of RPC stream messages received on the server.", METHOD);
        sent = registry.counters("grpc_server_msg_sent_total",
                "Total number of gRPC stream messages sent by the server.", METHOD);
        handling = isExtensive
                ? registry.histograms("grpc_server_handling_seconds",
                        "Histogram of response latency (seconds) of gRPC that had been application-level handled by the server.",
                        Buckets.DEFAULT, METHOD)
                : null;
        clients = registry.counters("etcd_server_client_requests_total",
                "The total number of client requests per client version.", "type", "client_api_version");
        receivedBytes = registry.counter("etcd_network_client_grpc_received_bytes_total",
                "The total number of bytes received from grpc clients.");
        sentBytes = registry.counter("etcd_network_client_grpc_sent_bytes_total",
                "The total number of bytes sent to grpc clients.");
        streamFailures = registry.counters("etcd_network_server_stream_failures_total",
                "The total number of stream failures from the local server.", "Type", "API");
        for (Refusal refusal : Refusal.values()) {
            refusals.put(refusal, limits.of(refusal.name().toLowerCase(Locale.ROOT)));
        }
        connections = registry.countedGauges("quoin_client_connections", "Connections to the client port now.",
                "tls");
        connections.of("false");
        connections.of("true");
        socketReceived = registry.counter("quoin_client_received_bytes_total",
                "Bytes that came over HTTP/2 connections to the client port, decrypted.");
        socketSent = registry.counter("quoin_client_sent_bytes_total",
                "Bytes that left over plain HTTP/2 connections to the client port.");
    }

    // ---- connections and bounds

    @Override
    public void refused(Refusal why) {
        Counter counter = refusals.get(why);
        if (counter != null) {
            counter.increment();
        }
    }

    @Override
    public void connectionOpened(boolean tls) {
        connections.of(Boolean.toString(tls)).increment();
    }

    @Override
    public void connectionClosed(boolean tls) {
        connections.of(Boolean.toString(tls)).add(-1);
    }

    @Override
    public void bytesReceived(long bytes) {
        socketReceived.add(bytes);
    }

    @Override
    public void bytesSent(long bytes) {
        socketSent.add(bytes);
    }

    // ---- calls

    @Override
    public String countedHeader() {
        return "client-api-version";
    }

    @Override
    public Calls calls(Method method) {
        return new Counted(method);
    }

    /** A value of the header, which comes as the same object for as long as a connection lasts, and its counter. */
    private record Client(CharSequence header, Counter counter) {}

    private final class Counted implements Calls {
        private final Ends listener;
        private final String type;
        private final Counter startedHere;
        private final Counter receivedHere;
        private final Counter sentHere;
        private final @Nullable Histogram handlingHere;
        private final Map<Status.Code, Counter> handledHere = new EnumMap<>(Status.Code.class);
        private final Client noVersion;
        private final @Nullable StreamEnds streamEnds;
        private Client last; // of whichever loop looked last: it is compared before it is used

        Counted(Method method) {
            String[] labels = {kind(method), method.service(), name(method)};
            listener = listeners.of(method);
            startedHere = started.of(labels);
            receivedHere = received.of(labels);
            sentHere = sent.of(labels);
            handlingHere = handling == null ? null : handling.of(labels);
            for (Status.Code code : Status.Code.values()) {
                handledHere.put(code, handled.of(labels[0], labels[1], labels[2], text(code)));
            }
            type = method.kind() == Method.Kind.UNARY ? "unary" : "stream";
            noVersion = new Client(NO_VERSION, clients.of(type, NO_VERSION));
            last = noVersion;
            streamEnds = StreamEnds.of(method, streamFailures);
        }

        @Override
        public void opened(@Nullable CharSequence header) {
            startedHere.increment();
            client(header).counter.increment();
        }

        @SuppressWarnings("ReferenceEquality") // The same object is the common case; another one is looked up.
        private Client client(@Nullable CharSequence header) {
            if (header == null) {
                return noVersion;
            }
            Client known = last;
            if (known.header == header) {
                return known;
            }
            String text = header.toString();
            Client found = new Client(header,
                    clients.of(type, text.substring(0, Math.min(text.length(), VERSION_CHARS_MAX))));
            last = found;
            return found;
        }

        @Override
        public void received(int bytes) {
            receivedHere.increment();
            receivedBytes.add(bytes);
        }

        @Override
        public void sent(long bytes) {
            sentHere.increment();
            sentBytes.add(bytes);
        }

        @Override
        public void ended(CallEnd end) {
            Counter counter = handledHere.get(end.code());
            if (counter != null) {
                counter.increment();
            }
            if (handlingHere != null) {
                handlingHere.observe(end.nanos());
            }
            if (streamEnds != null) {
                streamEnds.ended(end);
            }
            listener.ended(end);
        }
    }

    /** Streams that came to no good end: what they said could not be read, or they were not taken from us. */
    private record StreamEnds(Counter receive, Counter send) {
        static @Nullable StreamEnds of(Method method, Labelled<Counter> failures) {
            String api = switch (method.path()) {
                case "/etcdserverpb.Watch/Watch" -> "watch";
                case "/etcdserverpb.Lease/LeaseKeepAlive" -> "lease-keepalive";
                default -> null;
            };
            return api == null ? null : new StreamEnds(failures.of("receive", api), failures.of("send", api));
        }

        void ended(CallEnd end) {
            if (end.code() == Status.Code.INTERNAL) {
                receive.increment();
            } else if (end.why() == End.CONNECTION_LOST && !end.call().writable()) {
                send.increment();
            }
        }
    }

    private static String name(Method method) {
        return method.path().substring(method.path().lastIndexOf('/') + 1);
    }

    private static String kind(Method method) {
        return switch (method.kind()) {
            case UNARY -> "unary";
            case CLIENT_STREAMING -> "client_stream";
            case SERVER_STREAMING -> "server_stream";
            case BIDI -> "bidi_stream";
        };
    }

    /** As Go prints it. */
    private static String text(Status.Code code) {
        return switch (code) {
            case OK -> "OK";
            case CANCELLED -> "Canceled";
            case UNKNOWN -> "Unknown";
            case INVALID_ARGUMENT -> "InvalidArgument";
            case DEADLINE_EXCEEDED -> "DeadlineExceeded";
            case NOT_FOUND -> "NotFound";
            case ALREADY_EXISTS -> "AlreadyExists";
            case PERMISSION_DENIED -> "PermissionDenied";
            case RESOURCE_EXHAUSTED -> "ResourceExhausted";
            case FAILED_PRECONDITION -> "FailedPrecondition";
            case ABORTED -> "Aborted";
            case OUT_OF_RANGE -> "OutOfRange";
            case UNIMPLEMENTED -> "Unimplemented";
            case INTERNAL -> "Internal";
            case UNAVAILABLE -> "Unavailable";
            case DATA_LOSS -> "DataLoss";
            case UNAUTHENTICATED -> "Unauthenticated";
        };
    }
}
