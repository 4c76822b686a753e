package dev.quoin.ctl.command;

import dev.quoin.ctl.cli.Flag;

/** The flags of all commands (etcd: etcdctl/ctlv3/ctl.go). */
final class GlobalFlags {
    static final String ENDPOINTS = "endpoints";
    static final String DEBUG = "debug";
    static final String WRITE_OUT = "write-out";
    static final String HEX = "hex";
    static final String DIAL_TIMEOUT = "dial-timeout";
    static final String COMMAND_TIMEOUT = "command-timeout";
    static final String KEEPALIVE_TIME = "keepalive-time";
    static final String KEEPALIVE_TIMEOUT = "keepalive-timeout";
    static final String MAX_REQUEST_BYTES = "max-request-bytes";
    static final String MAX_RECV_BYTES = "max-recv-bytes";
    static final String INSECURE_TRANSPORT = "insecure-transport";
    static final String INSECURE_SKIP_TLS_VERIFY = "insecure-skip-tls-verify";
    static final String CERT = "cert";
    static final String KEY = "key";
    static final String CACERT = "cacert";
    static final String AUTH_JWT_TOKEN = "auth-jwt-token";
    static final String USER = "user";
    static final String PASSWORD = "password";
    static final String DISCOVERY_SRV = "discovery-srv";
    static final String DISCOVERY_SRV_NAME = "discovery-srv-name";
    static final String INSECURE_DISCOVERY = "insecure-discovery";

    private GlobalFlags() {}

    static Flag[] all() {
        return new Flag[]{
            Flag.of(ENDPOINTS, Flag.Kind.STRINGS, "127.0.0.1:2379", "gRPC endpoints").hidden(),
            Flag.bool(DEBUG, "enable client-side debug logging").hidden(),
            Flag.string(WRITE_OUT, "simple", "set the output format (fields, json, protobuf, simple, table)")
                    .orShort('w').offering("fields", "json", "protobuf", "simple", "table").hidden(),
            Flag.bool(HEX, "print byte strings as hex encoded strings").hidden(),
            duration(DIAL_TIMEOUT, "2s", "dial timeout for client connections"),
            duration(COMMAND_TIMEOUT, "5s", "timeout for short running command (excluding dial timeout)"),
            duration(KEEPALIVE_TIME, "2s", "keepalive time for client connections"),
            duration(KEEPALIVE_TIMEOUT, "6s", "keepalive timeout for client connections"),
            Flag.number(MAX_REQUEST_BYTES,
                    "client-side request send limit in bytes (if 0, it defaults to 2.0 MiB (2 * 1024 * 1024).)")
                    .hidden(),
            Flag.number(MAX_RECV_BYTES,
                    "client-side response receive limit in bytes (if 0, it defaults to \"math.MaxInt32\")")
                    .hidden(),
            Flag.of(INSECURE_TRANSPORT, Flag.Kind.BOOL, "true",
                    "disable transport security for client connections").hidden(),
            Flag.of(INSECURE_DISCOVERY, Flag.Kind.BOOL, "true",
                    "accept insecure SRV records describing cluster endpoints").hidden(),
            Flag.bool(INSECURE_SKIP_TLS_VERIFY, "skip server certificate verification (CAUTION: this option should "
                    + "be enabled only for testing purposes)").hidden(),
            Flag.string(CERT, "", "identify secure client using this TLS certificate file").hidden(),
            Flag.string(KEY, "", "identify secure client using this TLS key file").hidden(),
            Flag.string(CACERT, "", "verify certificates of TLS-enabled secure servers using this CA bundle")
                    .hidden(),
            Flag.string(AUTH_JWT_TOKEN, "", "JWT token used for authentication (if this option is used, --user and "
                    + "--password should not be set)").hidden(),
            Flag.string(USER, "",
                    "username[:password] for authentication (prompt if password is not supplied)").hidden(),
            Flag.string(PASSWORD, "", "password for authentication (if this option is used, --user option "
                    + "shouldn't include password)").hidden(),
            Flag.string(DISCOVERY_SRV, "",
                    "domain name to query for SRV records describing cluster endpoints").orShort('d').hidden(),
            Flag.string(DISCOVERY_SRV_NAME, "", "service name to query when using DNS discovery").hidden()};
    }

    private static Flag duration(String name, String standard, String usage) {
        return Flag.of(name, Flag.Kind.DURATION, standard, usage).hidden();
    }
}
