package dev.quoin.ctl.rpc;

/** What it means for a call that its stream was reset (gRPC over HTTP/2; grpc-go, internal/transport/http_util.go). */
final class Resets {
    private static final String[] NAMES = {"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
        "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"};
    private static final int REFUSED_STREAM = 7;
    private static final int CANCEL = 8;
    private static final int ENHANCE_YOUR_CALM = 11;
    private static final int INADEQUATE_SECURITY = 12;

    private Resets() {}

    static RpcException meaning(int error) {
        String name = error >= 0 && error < NAMES.length ? NAMES[error]
                : "unknown error code 0x"
                        + Integer.toHexString(error);
        String description = "stream terminated by RST_STREAM with error code: " + name;
        return switch (error) {
            case REFUSED_STREAM -> RpcException.untouched(Code.UNAVAILABLE, description);
            case CANCEL -> RpcException.unknown(Code.CANCELED, description);
            case ENHANCE_YOUR_CALM -> RpcException.unknown(Code.RESOURCE_EXHAUSTED, description);
            case INADEQUATE_SECURITY -> RpcException.unknown(Code.PERMISSION_DENIED, description);
            default -> RpcException.unknown(Code.INTERNAL, description);
        };
    }
}
