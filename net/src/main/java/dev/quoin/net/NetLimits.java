package dev.quoin.net;

/**
 * Every bound of the front door, and of calls to others, with its unit in its name. Immutable: {@link #defaults} and then one {@code with…} for each
 * that differs. What is refused, and how, is said with the type that enforces the bound; each has a {@link
 * NetMetrics.Refusal}.
 *
 * @param connectionsMax open connections of the server; one more is closed at once
 * @param unadmittedMax connections that have not yet sent a first request or SETTINGS, whose handshake may be half done; one
 *        more is closed at once
 * @param unadmittedPerAddressMax the same of one address
 * @param firstHeadMillisMax from accept to the first request head or SETTINGS, handshake included
 * @param streamsPerConnectionMax calls open at once on a connection, told to the client as MAX_CONCURRENT_STREAMS
 * @param headerListBytesMax a request's header list, as HTTP/2 counts it, and an HTTP/1.1 head
 * @param requestLineBytesMax an HTTP/1.1 request line
 * @param requestBytesMax a gRPC request message, inflated; etcd: max-request-bytes + 512 KiB
 * @param answerBytesMax a gRPC answer message
 * @param httpBodyBytesMax the body of a request that is not gRPC, where it is gathered before the request is served
 * @param bodySilenceMillisMax how long the next piece of a streamed body may take while it is waited for
 * @param streamWindowBytes what a client may send ahead on one stream, or of one streamed body
 * @param connectionWindowBytes what a client may send ahead on a connection before the loop reads it
 * @param messagesAheadMax whole messages of a stream told to a handler before it asks for more
 * @param requestBytesPerConnectionMax bytes of requests being assembled or in work, per connection
 * @param requestBytesPerLoopMax the same, per event loop
 * @param owedBytesPerConnectionMax answers a connection has not taken; beyond it new calls of it wait
 * @param owedBytesPerStreamMax what one stream has not taken before it counts as not writable
 * @param partBytes how much of a {@link LongMessage} is made at a time
 * @param writeStallMillisMax how long a stream or connection may owe us the reading of a single byte
 * @param virtualCallsMax calls on virtual threads at once, per server
 * @param httpRequestsMax requests that are not gRPC, in work at once, per server
 * @param resetsReceivedMax RST_STREAM frames of a client within 30 seconds
 * @param resetsProvokedMax RST_STREAM frames a client makes us send within 30 seconds, other than CANCEL and NO_ERROR
 * @param continuationsMax small CONTINUATION frames in a row
 * @param emptyDataMax empty DATA frames in a row on a connection, without END_STREAM
 * @param controlAnswersQueuedMax acknowledgements and resets that wait to be written
 * @param settingsMax SETTINGS frames of a client within 30 seconds
 * @param pingMinMillis shortest time between a client's pings while it has calls (keep-alive min-time)
 * @param pingWithoutStream whether that holds without calls too; otherwise 2 hours (permit-without-stream)
 * @param keepaliveIntervalMillis silence of a client before we ping it
 * @param keepaliveTimeoutMillis silence after that ping before the connection is closed
 * @param httpIdleMillisMax an HTTP/1.1 connection without a request, or with one that does not come along
 * @param handshakeMillisMax a TLS handshake
 * @param dialsMax calls of a {@link Dialler} at once
 * @param dialConnectMillisMax finding the address of who is dialled and connecting to it
 */
public record NetLimits(int connectionsMax, int unadmittedMax, int unadmittedPerAddressMax, long firstHeadMillisMax,
        long streamsPerConnectionMax, int headerListBytesMax, int requestLineBytesMax, int requestBytesMax,
        int answerBytesMax, int httpBodyBytesMax, long bodySilenceMillisMax, int streamWindowBytes,
        int connectionWindowBytes,
        int messagesAheadMax, long requestBytesPerConnectionMax, long requestBytesPerLoopMax,
        long owedBytesPerConnectionMax, int owedBytesPerStreamMax, int partBytes, long writeStallMillisMax,
        int virtualCallsMax,
        int httpRequestsMax, int resetsReceivedMax, int resetsProvokedMax, int continuationsMax, int emptyDataMax,
        int controlAnswersQueuedMax, int settingsMax, long pingMinMillis, boolean pingWithoutStream,
        long keepaliveIntervalMillis, long keepaliveTimeoutMillis, long httpIdleMillisMax, long handshakeMillisMax,
        int dialsMax, long dialConnectMillisMax) {
    /** The values a server has unless told otherwise. */
    public static NetLimits defaults() {
        return new Builder().build();
    }

    /** These limits, to be changed. */
    public Builder change() {
        Builder builder = new Builder();
        builder.connectionsMax = connectionsMax;
        builder.unadmittedMax = unadmittedMax;
        builder.unadmittedPerAddressMax = unadmittedPerAddressMax;
        builder.firstHeadMillisMax = firstHeadMillisMax;
        builder.streamsPerConnectionMax = streamsPerConnectionMax;
        builder.headerListBytesMax = headerListBytesMax;
        builder.requestLineBytesMax = requestLineBytesMax;
        builder.requestBytesMax = requestBytesMax;
        builder.answerBytesMax = answerBytesMax;
        builder.httpBodyBytesMax = httpBodyBytesMax;
        builder.bodySilenceMillisMax = bodySilenceMillisMax;
        builder.streamWindowBytes = streamWindowBytes;
        builder.connectionWindowBytes = connectionWindowBytes;
        builder.messagesAheadMax = messagesAheadMax;
        builder.requestBytesPerConnectionMax = requestBytesPerConnectionMax;
        builder.requestBytesPerLoopMax = requestBytesPerLoopMax;
        builder.owedBytesPerConnectionMax = owedBytesPerConnectionMax;
        builder.owedBytesPerStreamMax = owedBytesPerStreamMax;
        builder.partBytes = partBytes;
        builder.writeStallMillisMax = writeStallMillisMax;
        builder.virtualCallsMax = virtualCallsMax;
        builder.httpRequestsMax = httpRequestsMax;
        builder.resetsReceivedMax = resetsReceivedMax;
        builder.resetsProvokedMax = resetsProvokedMax;
        builder.continuationsMax = continuationsMax;
        builder.emptyDataMax = emptyDataMax;
        builder.controlAnswersQueuedMax = controlAnswersQueuedMax;
        builder.settingsMax = settingsMax;
        builder.pingMinMillis = pingMinMillis;
        builder.pingWithoutStream = pingWithoutStream;
        builder.keepaliveIntervalMillis = keepaliveIntervalMillis;
        builder.keepaliveTimeoutMillis = keepaliveTimeoutMillis;
        builder.httpIdleMillisMax = httpIdleMillisMax;
        builder.handshakeMillisMax = handshakeMillisMax;
        builder.dialsMax = dialsMax;
        builder.dialConnectMillisMax = dialConnectMillisMax;
        return builder;
    }

    /** Limits in the making: the defaults until set. */
    public static final class Builder {
        private int connectionsMax = 100_000;
        private int unadmittedMax = 10_000;
        private int unadmittedPerAddressMax = 1_000;
        private long firstHeadMillisMax = 10_000;
        private long streamsPerConnectionMax = 100_000;
        private int headerListBytesMax = 65_536;
        private int requestLineBytesMax = 16_384;
        private int requestBytesMax = 2_097_152;
        private int answerBytesMax = Integer.MAX_VALUE - 1;
        private int httpBodyBytesMax = 65_536;
        private long bodySilenceMillisMax = 5_000;
        private int streamWindowBytes = 1_048_576;
        private int connectionWindowBytes = 8_388_608;
        private int messagesAheadMax = 16;
        private long requestBytesPerConnectionMax = 268_435_456;
        private long requestBytesPerLoopMax = 536_870_912;
        private long owedBytesPerConnectionMax = 4_194_304;
        private int owedBytesPerStreamMax = 262_144;
        private int partBytes = 65_536;
        private long writeStallMillisMax = 60_000;
        private int virtualCallsMax = 4_096;
        private int httpRequestsMax = 1_024;
        private int resetsReceivedMax = 200_000;
        private int resetsProvokedMax = 200;
        private int continuationsMax = 16;
        private int emptyDataMax = 2;
        private int controlAnswersQueuedMax = 10_000;
        private int settingsMax = 100;
        private long pingMinMillis = 5_000;
        private boolean pingWithoutStream = false;
        private long keepaliveIntervalMillis = 7_200_000;
        private long keepaliveTimeoutMillis = 20_000;
        private long httpIdleMillisMax = 300_000;
        private long handshakeMillisMax = 10_000;
        private int dialsMax = 1_024;
        private long dialConnectMillisMax = 2_000;

        private Builder() {}

        public Builder connectionsMax(int value) {
            connectionsMax = value;
            return this;
        }

        public Builder unadmittedMax(int value) {
            unadmittedMax = value;
            return this;
        }

        public Builder unadmittedPerAddressMax(int value) {
            unadmittedPerAddressMax = value;
            return this;
        }

        public Builder firstHeadMillisMax(long value) {
            firstHeadMillisMax = value;
            return this;
        }

        public Builder streamsPerConnectionMax(long value) {
            streamsPerConnectionMax = value;
            return this;
        }

        public Builder headerListBytesMax(int value) {
            headerListBytesMax = value;
            return this;
        }

        public Builder requestLineBytesMax(int value) {
            requestLineBytesMax = value;
            return this;
        }

        public Builder requestBytesMax(int value) {
            requestBytesMax = value;
            return this;
        }

        public Builder answerBytesMax(int value) {
            answerBytesMax = value;
            return this;
        }

        public Builder httpBodyBytesMax(int value) {
            httpBodyBytesMax = value;
            return this;
        }

        public Builder bodySilenceMillisMax(long value) {
            bodySilenceMillisMax = value;
            return this;
        }

        public Builder streamWindowBytes(int value) {
            streamWindowBytes = value;
            return this;
        }

        public Builder connectionWindowBytes(int value) {
            connectionWindowBytes = value;
            return this;
        }

        public Builder messagesAheadMax(int value) {
            messagesAheadMax = value;
            return this;
        }

        public Builder requestBytesPerConnectionMax(long value) {
            requestBytesPerConnectionMax = value;
            return this;
        }

        public Builder requestBytesPerLoopMax(long value) {
            requestBytesPerLoopMax = value;
            return this;
        }

        public Builder owedBytesPerConnectionMax(long value) {
            owedBytesPerConnectionMax = value;
            return this;
        }

        public Builder owedBytesPerStreamMax(int value) {
            owedBytesPerStreamMax = value;
            return this;
        }

        public Builder partBytes(int value) {
            partBytes = value;
            return this;
        }

        public Builder writeStallMillisMax(long value) {
            writeStallMillisMax = value;
            return this;
        }

        public Builder virtualCallsMax(int value) {
            virtualCallsMax = value;
            return this;
        }

        public Builder httpRequestsMax(int value) {
            httpRequestsMax = value;
            return this;
        }

        public Builder resetsReceivedMax(int value) {
            resetsReceivedMax = value;
            return this;
        }

        public Builder resetsProvokedMax(int value) {
            resetsProvokedMax = value;
            return this;
        }

        public Builder continuationsMax(int value) {
            continuationsMax = value;
            return this;
        }

        public Builder emptyDataMax(int value) {
            emptyDataMax = value;
            return this;
        }

        public Builder controlAnswersQueuedMax(int value) {
            controlAnswersQueuedMax = value;
            return this;
        }

        public Builder settingsMax(int value) {
            settingsMax = value;
            return this;
        }

        public Builder pingMinMillis(long value) {
            pingMinMillis = value;
            return this;
        }

        public Builder pingWithoutStream(boolean value) {
            pingWithoutStream = value;
            return this;
        }

        public Builder keepaliveIntervalMillis(long value) {
            keepaliveIntervalMillis = value;
            return this;
        }

        public Builder keepaliveTimeoutMillis(long value) {
            keepaliveTimeoutMillis = value;
            return this;
        }

        public Builder httpIdleMillisMax(long value) {
            httpIdleMillisMax = value;
            return this;
        }

        public Builder handshakeMillisMax(long value) {
            handshakeMillisMax = value;
            return this;
        }

        public Builder dialsMax(int value) {
            dialsMax = value;
            return this;
        }

        public Builder dialConnectMillisMax(long value) {
            dialConnectMillisMax = value;
            return this;
        }

        public NetLimits build() {
            return new NetLimits(connectionsMax, unadmittedMax, unadmittedPerAddressMax, firstHeadMillisMax,
                    streamsPerConnectionMax,
                    headerListBytesMax, requestLineBytesMax, requestBytesMax, answerBytesMax, httpBodyBytesMax,
                    bodySilenceMillisMax, streamWindowBytes, connectionWindowBytes, messagesAheadMax,
                    requestBytesPerConnectionMax,
                    requestBytesPerLoopMax, owedBytesPerConnectionMax, owedBytesPerStreamMax, partBytes,
                    writeStallMillisMax,
                    virtualCallsMax, httpRequestsMax, resetsReceivedMax, resetsProvokedMax, continuationsMax,
                    emptyDataMax, controlAnswersQueuedMax, settingsMax, pingMinMillis, pingWithoutStream,
                    keepaliveIntervalMillis, keepaliveTimeoutMillis, httpIdleMillisMax, handshakeMillisMax, dialsMax,
                    dialConnectMillisMax);
        }
    }
}
