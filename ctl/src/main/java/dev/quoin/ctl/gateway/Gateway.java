package dev.quoin.ctl.gateway;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

import dev.quoin.base.GoQuote;
import dev.quoin.base.UnixDatagram;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.cli.Flags;
import dev.quoin.ctl.cli.Invocation;
import dev.quoin.ctl.cli.Log;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.client.Discovery;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.Dial;
import dev.quoin.ctl.rpc.Endpoint;
import dev.quoin.ctl.rpc.Tls;
import dev.quoin.ctl.text.Malformed;

/** The command {@code etcd gateway start} (etcd: server/etcdmain/gateway.go, util.go): finds the servers, and begins. */
final class Gateway {
    /** What a delay of 0 stands for. */
    private static final long RETRY_STANDARD_NANOS = TimeUnit.MINUTES.toNanos(5);
    private static final long VERIFY_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int BACKLOG = 1024;

    private final Streams streams;
    private final Discovery discovery;
    private final Log log;

    /** @param discovery asked for the records of a domain */
    Gateway(Streams streams, Discovery discovery) {
        this.streams = streams;
        this.discovery = discovery;
        this.log = new Log(streams.err(), "gateway");
    }

    /** The commands of {@code etcd} that are here. */
    Command root() {
        return new Command("etcd", "etcd server")
                .of(new Command("gateway <subcommand>", "gateway related command").of(start()));
    }

    private Command start() {
        return new Command("start", "start the gateway").taking(
                Flag.string("listen-addr", "127.0.0.1:23790", "listen address"),
                Flag.string("discovery-srv", "", "DNS domain used to bootstrap initial cluster"),
                Flag.string("discovery-srv-name", "", "service name to query when using DNS discovery"),
                Flag.bool("insecure-discovery", "accept insecure SRV records"),
                Flag.string("trusted-ca-file", "", "path to the client server TLS CA file for verifying the discovered "
                        + "endpoints when discovery-srv is provided."),
                Flag.of("endpoints", Flag.Kind.STRINGS, "127.0.0.1:2379", "comma separated etcd cluster endpoints"),
                Flag.of("retry-delay", Flag.Kind.DURATION, "1m0s",
                        "duration of delay before retrying failed endpoints"))
                .doing(this::run);
    }

    private void run(Invocation invocation) {
        log.line("info", "Running: ", "args", invocation.words());
        try (TcpProxy proxy = open(invocation.flags())) {
            tellReady();
            proxy.run();
        } catch (IOException why) {
            throw Failure.of(String.valueOf(why.getMessage()));
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /** A gateway that listens, and takes nothing yet; or the reason why there is none. */
    TcpProxy open(Flags flags) throws IOException {
        List<Remote> remotes = discovered(flags);
        if (remotes.isEmpty()) {
            remotes = given(flags.texts("endpoints"));
        }
        HostPort listen = listenAddress(flags.text("listen-addr"));
        InetAddress[] addresses = addresses(listen);
        refuseOwn(remotes, listen, addresses);
        if (remotes.isEmpty()) {
            throw Failure.of("no endpoints found");
        }
        long retryNanos = flags.number("retry-delay");
        if (retryNanos < 0) {
            throw Failure.of("--retry-delay must not be negative");
        }
        return new TcpProxy(listen(listen, addresses[0]), new Remotes(remotes, new SplittableRandom()),
                retryNanos == 0 ? RETRY_STANDARD_NANOS : retryNanos, TcpProxy.CONNECTIONS_MAX, log);
    }

    private static List<Remote> given(List<String> endpoints) {
        List<Remote> remotes = new ArrayList<>();
        for (String endpoint : endpoints) {
            try {
                remotes.add(Remote.at(HostPort.parse(Endpoint.of(endpoint).address())));
            } catch (Malformed why) {
                throw Failure.of("error parsing endpoint " + GoQuote.of(endpoint) + ": " + why.getMessage());
            }
        }
        return remotes;
    }

    private List<Remote> discovered(Flags flags) {
        String domain = flags.text("discovery-srv");
        if (domain.isEmpty()) {
            return List.of();
        }
        List<Discovery.Found> found;
        try {
            found = discovery.found(domain, flags.text("discovery-srv-name"));
        } catch (IOException why) {
            throw Failure.of(String.valueOf(why.getMessage()));
        }
        tell("info", "discovered cluster from SRV", domain, found);
        List<Discovery.Found> used = flags.isOn("insecure-discovery") ? found
                : verified(found, domain, flags.text("trusted-ca-file"));
        return used.stream()
                .map(each -> new Remote(new HostPort(each.host(), each.port()), each.priority(), each.weight()))
                .toList();
    }

    /**
     * Those that prove by a certificate that they are of the domain. etcd only looks whether they can be reached (as its security audit of
     * 2020 notes); the flags promise more, and keep it here.
     */
    private List<Discovery.Found> verified(List<Discovery.Found> found, String domain, String authorities) {
        tell("info", "validating discovered SRV endpoints", domain, found);
        Tls tls;
        try {
            tls = Tls.of(new Tls.Settings("", "", authorities, domain, false));
        } catch (IOException why) {
            throw Failure.of(String.valueOf(why.getMessage()));
        }
        List<Discovery.Found> verified = new ArrayList<>();
        List<String> errors = new ArrayList<>();
        for (Discovery.Found each : found) {
            if (!each.scheme().equals("https")) {
                errors.add(GoQuote.of(each.endpoint()) + " is insecure");
                continue;
            }
            try {
                tls.verify(each.host(), String.valueOf(each.port()), Deadline.in(VERIFY_NANOS));
                verified.add(each);
            } catch (IOException why) {
                errors.add(GoQuote.of(each.endpoint()) + " failed to dial (" + why.getMessage() + ")");
            }
        }
        if (errors.isEmpty()) {
            tell("info", "using validated discovered SRV endpoints", domain, verified);
        } else {
            log.line("warn", "failed to validate discovered endpoints", "srv-server", domain, "endpoints",
                    endpoints(verified), "error", String.join(",", errors));
        }
        return verified;
    }

    private void tell(String level, String message, String domain, List<Discovery.Found> found) {
        log.line(level, message, "srv-server", domain, "endpoints", endpoints(found));
    }

    private static List<String> endpoints(List<Discovery.Found> found) {
        return found.stream().map(Discovery.Found::endpoint).toList();
    }

    private static HostPort listenAddress(String text) {
        try {
            return HostPort.parse(text);
        } catch (Malformed why) {
            throw Failure.of("failed to validate listen address: " + text);
        }
    }

    /** Without a host, all of this host's. */
    private static InetAddress[] addresses(HostPort listen) {
        try {
            return listen.host().isEmpty() ? new InetAddress[]{new InetSocketAddress(listen.port()).getAddress()}
                    : Dial.addresses(listen.host());
        } catch (UnknownHostException why) {
            throw Failure.of("failed to resolve listen host: " + listen.host());
        }
    }

    /** A gateway that passes connections on to itself would do nothing else. */
    private static void refuseOwn(List<Remote> remotes, HostPort listen, InetAddress[] listenAddresses)
            throws SocketException {
        for (Remote remote : remotes) {
            HostPort place = remote.place();
            InetAddress[] addresses;
            try {
                addresses = Dial.addresses(place.host());
            } catch (UnknownHostException why) {
                throw Failure.of("failed to resolve endpoint host: " + place.host());
            }
            if (place.port() != listen.port()) {
                continue;
            }
            for (InetAddress address : addresses) {
                if (isOwn(address, listenAddresses)) {
                    throw Failure.of("SRV or endpoint (" + place + "->"
                            + new HostPort(address.getHostAddress(), place.port())
                            + ") should not resolve to the gateway listen addr (" + listen + ")");
                }
            }
        }
    }

    /** Whether a connection to that address would come here; etcd compares addresses alone, and so misses wildcards. */
    private static boolean isOwn(InetAddress address, InetAddress[] listening) throws SocketException {
        for (InetAddress own : listening) {
            boolean meetsWildcard = own.isAnyLocalAddress() && isOfThisHost(address);
            boolean isWildcard = address.isAnyLocalAddress() && (own.isLoopbackAddress() || own.isAnyLocalAddress());
            if (own.equals(address) || meetsWildcard || isWildcard) {
                return true;
            }
        }
        return false;
    }

    private static boolean isOfThisHost(InetAddress address) throws SocketException {
        return address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
    }

    private static ServerSocket listen(HostPort listen, InetAddress address) throws IOException {
        ServerSocket listener = new ServerSocket();
        try {
            listener.bind(new InetSocketAddress(address, listen.port()), BACKLOG);
            return listener;
        } catch (IOException why) {
            listener.close();
            String reason = String.valueOf(why.getMessage()).startsWith("Address already in use")
                    ? "bind: address already in use"
                    : String.valueOf(why.getMessage());
            throw new IOException("listen tcp " + listen + ": " + reason, why);
        }
    }

    /** As the server does (etcdmain/main.go, notifySystemd): where nobody waits nobody is told, and the log says the same. */
    private void tellReady() {
        log.line("info", "notifying init daemon");
        String socket = streams.environment().getOrDefault("NOTIFY_SOCKET", "");
        if (!socket.isEmpty()) {
            try {
                UnixDatagram.send(socket, "READY=1".getBytes(StandardCharsets.US_ASCII));
            } catch (IOException why) {
                log.line("error", "failed to notify systemd for readiness", "error", String.valueOf(why.getMessage()));
                return;
            }
        }
        log.line("info", "successfully notified init daemon");
    }
}
