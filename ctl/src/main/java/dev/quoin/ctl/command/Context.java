package dev.quoin.ctl.command;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberListRequest;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.base.GoQuote;
import dev.quoin.ctl.cli.Environment;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flags;
import dev.quoin.ctl.cli.Invocation;
import dev.quoin.ctl.cli.Log;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Credentials;
import dev.quoin.ctl.client.Discovery;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.print.Printer;
import dev.quoin.ctl.rpc.Channel;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.Endpoint;
import dev.quoin.ctl.rpc.Page;
import dev.quoin.ctl.rpc.RpcException;
import dev.quoin.ctl.rpc.Tls;

/**
 * One run of a command: its flags and arguments, and what they say about servers, credentials and output (etcd:
 * etcdctl/ctlv3/command/global.go). The environment is read when a client or a printer is first asked for, so that wrong arguments are told
 * first.
 */
final class Context implements AutoCloseable {
    private static final int SEND_BYTES_MAX = 2 << 20;
    private static final int RECEIVE_BYTES_MAX = Integer.MAX_VALUE - 8;

    private final Invocation invocation;
    private final Streams streams;
    private Log log;
    private boolean isConfigured;
    private @Nullable Tls tls;
    private Credentials credentials = Credentials.NONE;
    private List<String> endpoints = List.of();
    private final List<Client> clients = new CopyOnWriteArrayList<>();
    private @Nullable Printer printer;

    Context(Invocation invocation, Streams streams) {
        this.invocation = invocation;
        this.streams = streams;
        this.log = new Log(streams.err());
    }

    /** Ends all connections; nobody asks anything any more. */
    @Override
    public void close() {
        clients.forEach(Client::close);
    }

    Flags flags() {
        return invocation.flags();
    }

    List<String> arguments() {
        return invocation.arguments();
    }

    String argument(int index) {
        return invocation.arguments().get(index);
    }

    Invocation invocation() {
        return invocation;
    }

    Streams streams() {
        return streams;
    }

    Log log() {
        return log;
    }

    /** From now on clients write no lines about calls that failed: for a command whose answer is what failed. */
    void keepQuiet() {
        log = new Log(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    }

    /** Ends the command unless there are so many arguments. */
    void expectArguments(int count, String otherwise) {
        if (arguments().size() != count) {
            throw Failure.badArguments(otherwise);
        }
    }

    void print(String text) {
        streams.out().print(text);
    }

    void printError(String text) {
        streams.out().flush();
        streams.err().print(text);
    }

    /** When the time of a short command is up. */
    Deadline deadline() {
        configure();
        return Deadline.in(flags().number(GlobalFlags.COMMAND_TIMEOUT));
    }

    Printer printer() {
        configure();
        if (printer == null) {
            printer = Printer.of(flags().text(GlobalFlags.WRITE_OUT), flags().isOn(GlobalFlags.HEX), streams.out(),
                    streams.err());
        }
        return printer;
    }

    /** A client of all endpoints, with a token if there are credentials. */
    Client client() {
        configure();
        return client(endpoints());
    }

    /** A client of one endpoint. */
    Client client(String endpoint) {
        configure();
        return client(List.of(endpoint));
    }

    /** A client of an endpoint that the global flags say nothing of. */
    Client client(String endpoint, Tls.Settings settings, boolean isInsecure, Credentials who) {
        configure();
        return client(List.of(endpoint), tls(settings, isInsecure), who);
    }

    private Client client(List<String> endpoints) {
        return client(endpoints, tls, credentials);
    }

    private Client client(List<String> endpoints, @Nullable Tls security, Credentials who) {
        if (endpoints.isEmpty()) {
            throw new Failure(Failure.BAD_CONNECTION, "etcdclient: no available endpoints");
        }
        Flags flags = flags();
        long sendBytesMax = flags.number(GlobalFlags.MAX_REQUEST_BYTES);
        long receiveBytesMax = flags.number(GlobalFlags.MAX_RECV_BYTES);
        if (receiveBytesMax > 0 && sendBytesMax > receiveBytesMax) {
            throw new Failure(Failure.BAD_CONNECTION, "gRPC message recv limit (" + receiveBytesMax
                    + " bytes) must be greater than send limit (" + sendBytesMax + " bytes)");
        }
        Channel channel = new Channel(new Channel.Settings(endpoints.stream().map(Endpoint::of).toList(), security,
                flags.number(GlobalFlags.KEEPALIVE_TIME), flags.number(GlobalFlags.KEEPALIVE_TIMEOUT),
                orStandard(receiveBytesMax, RECEIVE_BYTES_MAX)));
        Client client = new Client(channel, who, orStandard(sendBytesMax, SEND_BYTES_MAX), log,
                "etcd-endpoints://" + String.join(",", endpoints));
        clients.add(client);
        try {
            client.authenticate(Deadline.in(flags.number(GlobalFlags.DIAL_TIMEOUT)));
        } catch (RpcException why) {
            throw new Failure(Failure.BAD_CONNECTION, Errors.words(why));
        }
        return client;
    }

    private static int orStandard(long given, int standard) {
        return given > 0 ? (int) Math.min(given, RECEIVE_BYTES_MAX) : standard;
    }

    List<String> endpoints() {
        configure();
        return endpoints;
    }

    /** What SRV records tell, if there is a domain; else, or if they tell nothing of use, what was given. */
    private List<String> findEndpoints() {
        String domain = flags().text(GlobalFlags.DISCOVERY_SRV);
        List<String> found = domain.isEmpty() ? List.of() : discover(domain);
        return found.isEmpty() ? flags().texts(GlobalFlags.ENDPOINTS).stream().map(String::strip).toList() : found;
    }

    private List<String> discover(String domain) {
        List<String> found = new ArrayList<>();
        try {
            found.addAll(Discovery.ofSystem().endpoints(domain, flags().text(GlobalFlags.DISCOVERY_SRV_NAME)));
        } catch (IOException why) {
            throw Failure.of(String.valueOf(why.getMessage()));
        }
        if (!flags().isOn(GlobalFlags.INSECURE_DISCOVERY)) {
            found.stream().filter(Context::isPlain).forEach(endpoint -> printError(
                    "ignoring discovered insecure endpoint " + GoQuote.of(endpoint) + "\n"));
            found.removeIf(Context::isPlain);
        }
        return found;
    }

    private static boolean isPlain(String endpoint) {
        return endpoint.startsWith("http://");
    }

    /** A page that a server has, over HTTP. */
    String page(String endpoint, String path) throws IOException {
        configure();
        return Page.fetch(Endpoint.of(endpoint), tls, path);
    }

    /** The endpoints that were given, or, with {@code --cluster}, those that all members advertise. */
    List<String> endpointsOfCluster() {
        if (!flags().isOn("cluster")) {
            return endpoints();
        }
        MemberListResponse members;
        try {
            members = client().call(Method.MEMBER_LIST, MemberListRequest.newBuilder().setLinearizable(true).build(),
                    MemberListResponse.parser(), deadline());
        } catch (RpcException why) {
            throw Failure.of("failed to fetch endpoints from etcd cluster member list: " + Errors.words(why));
        }
        List<String> endpoints = new ArrayList<>();
        for (Member member : members.getMembersList()) {
            endpoints.addAll(member.getClientURLsList());
        }
        return endpoints;
    }

    /** Reads the environment and checks the global flags, once. */
    void configure() {
        if (isConfigured) {
            return;
        }
        isConfigured = true;
        Environment environment = new Environment("ETCDCTL", streams.environment(), log);
        environment.applyTo(invocation, invocation.command().name().equals("watch")
                ? List.of("ETCDCTL_WATCH_KEY", "ETCDCTL_WATCH_RANGE_END")
                : List.of());
        if (flags().isOn(GlobalFlags.DEBUG)) {
            printError(environment.table(invocation));
        }
        endpoints = findEndpoints();
        for (String name : new String[]{GlobalFlags.CERT, GlobalFlags.KEY, GlobalFlags.CACERT}) {
            if (flags().isGiven(name) && flags().text(name).isEmpty()) {
                throw Failure.badArguments("empty string is passed to --" + name + " option");
            }
        }
        Flags flags = flags();
        credentials = flags.text(GlobalFlags.AUTH_JWT_TOKEN).isEmpty()
                ? credentials(flags.text(GlobalFlags.USER), flags.text(GlobalFlags.PASSWORD), "Password: ")
                : new Credentials("", "", flags.text(GlobalFlags.AUTH_JWT_TOKEN));
        printer();
        // Who does not trust the name service wants certificates of that domain, whatever hosts it tells.
        String serverName = flags.isOn(GlobalFlags.INSECURE_DISCOVERY) ? "" : flags.text(GlobalFlags.DISCOVERY_SRV);
        tls = tls(new Tls.Settings(flags.text(GlobalFlags.CERT), flags.text(GlobalFlags.KEY),
                flags.text(GlobalFlags.CACERT), serverName, flags.isOn(GlobalFlags.INSECURE_SKIP_TLS_VERIFY)),
                flags.isOn(GlobalFlags.INSECURE_TRANSPORT));
    }

    /** What the settings make of a connection; nothing if there are none, and it need not be secure. */
    private static @Nullable Tls tls(Tls.Settings settings, boolean isInsecure) {
        if (settings.isEmpty() && !settings.skipsVerify() && isInsecure) {
            return null;
        }
        try {
            return Tls.of(settings);
        } catch (IOException why) {
            throw Failure.badArguments(String.valueOf(why.getMessage()));
        }
    }

    /** A user and a password, which may stand behind the user's name, or is asked for. */
    Credentials credentials(String user, String password, String prompt) {
        if (user.isEmpty()) {
            return Credentials.NONE;
        }
        if (!password.isEmpty()) {
            return new Credentials(user, password, "");
        }
        int colon = user.indexOf(':');
        if (colon >= 0) {
            return new Credentials(user.substring(0, colon), user.substring(colon + 1), "");
        }
        return new Credentials(user, new Prompt(streams).password(prompt), "");
    }
}
