package dev.quoin.server;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.quoin.net.DialTls;
import dev.quoin.net.NetTls;
import dev.quoin.net.TlsProtocols;
import dev.quoin.server.config.Flags;
import dev.quoin.server.config.Note;
import dev.quoin.server.config.Refused;
import dev.quoin.server.config.TlsSettings;

/**
 * What the flags say about TLS (embed/etcd.go, client/pkg/transport/listener.go). A certificate that is null was not given,
 * and its port cannot speak TLS.
 *
 * @param clients    for the ports of clients
 * @param monitoring for the ports of those who watch this member: the same, but that a client's certificate must be for the
 *                   address that the client comes from
 * @param peers      for the port of other members
 * @param dial       how other members are dialled
 */
record ServerTls(@Nullable NetTls clients, @Nullable NetTls monitoring, @Nullable NetTls peers, DialTls dial) {
    /** What etcd calls a set of flags that begin alike. */
    private record Family(String prefix, String name, Flags flags) {
        String text(String flag) {
            return flags.text(prefix + flag);
        }

        @Nullable
        Path file(String flag) {
            return text(flag).isEmpty() ? null : Path.of(text(flag));
        }

        boolean isTrue(String flag) {
            return flags.isTrue(prefix + flag);
        }

        String revocations() {
            return flags.text(name + "-crl-file");
        }

        boolean isEmpty() {
            return text("cert-file").isEmpty() && text("key-file").isEmpty();
        }
    }

    /** @throws Refused what was given does not fit together; the files are not looked at */
    static ServerTls of(Flags flags) throws Refused {
        TlsProtocols protocols = TlsSettings.protocols(flags);
        Family client = new Family("", "client", flags);
        Family peer = new Family("peer-", "peer", flags);
        NetTls clients = server(client, names(flags, "client-cert-allowed-cn"),
                names(flags, "client-cert-allowed-hostname"), false, protocols);
        NetTls monitoring = clients == null || flags.isTrue("client-skip-client-san-verification")
                ? clients
                : atAddress(clients);
        NetTls peers = server(peer, names(flags, "peer-cert-allowed-cn"),
                names(flags, "peer-cert-allowed-hostname"), !flags.isTrue("peer-skip-client-san-verification"),
                protocols);
        return new ServerTls(clients, monitoring, peers, dial(peer, flags, protocols));
    }

    private static List<String> names(Flags flags, String flag) {
        return flags.list(flag).stream().filter(name -> !name.isEmpty()).toList();
    }

    private static @Nullable NetTls server(Family family, List<String> commonNames, List<String> hostNames,
            boolean atAddress, TlsProtocols protocols)
            throws Refused {
        if (family.isEmpty()) {
            return null;
        }
        Path certificate = family.file("cert-file");
        Path key = family.file("key-file");
        if (certificate == null || key == null) {
            throw Refused.check("KeyFile and CertFile must both be present[key: " + family.text("key-file") + ", cert: "
                    + family.text("cert-file") + "]");
        }
        if (family.text("client-cert-file").isEmpty() != family.text("client-key-file").isEmpty()) {
            throw Refused.check("ClientKeyFile and ClientCertFile must both be present or both absent: key: "
                    + family.text("client-key-file") + ", cert: " + family.text("client-cert-file") + "]");
        }
        if (!commonNames.isEmpty() && !hostNames.isEmpty()) {
            throw Refused.check("AllowedCNs and AllowedHostnames are mutually exclusive (cns=" + quoted(commonNames)
                    + ", hostnames=" + quoted(hostNames) + ")");
        }
        Path authority = family.file("trusted-ca-file");
        boolean areAsked = authority != null || family.isTrue("client-cert-auth");
        String list = family.revocations();
        Path revoked = list.isEmpty() ? null : Path.of(list);
        return new NetTls(family.name + " endpoint", certificate, key,
                new NetTls.Clients(areAsked, authority, revoked, commonNames, hostNames, atAddress), protocols);
    }

    private static String quoted(List<String> names) {
        return names.stream().map(name -> "\"" + name + "\"").toList().toString().replace(", ", " ");
    }

    private static NetTls atAddress(NetTls tls) {
        NetTls.Clients clients = tls.clients();
        return new NetTls(tls.endpoint(), tls.certificateChain(), tls.privateKey(),
                new NetTls.Clients(clients.areAsked(), clients.authority(), clients.revoked(), clients.commonNames(),
                        clients.hostNames(), true),
                tls.protocols());
    }

    /** A certificate of its own for dialling, or that of the peer port. */
    private static DialTls dial(Family peer, Flags flags, TlsProtocols protocols) {
        if (peer.isEmpty()) {
            return new DialTls(peer.file("trusted-ca-file"), null, null, serverName(peer, flags), false,
                    names(flags, "peer-cert-allowed-cn"), names(flags, "peer-cert-allowed-hostname"), protocols);
        }
        boolean hasOwn = !peer.text("client-cert-file").isEmpty();
        return new DialTls(peer.file("trusted-ca-file"), peer.file(hasOwn ? "client-cert-file" : "cert-file"),
                peer.file(hasOwn ? "client-key-file" : "key-file"), serverName(peer, flags), false,
                names(flags, "peer-cert-allowed-cn"), names(flags, "peer-cert-allowed-hostname"), protocols);
    }

    /** Whoever finds the members by the records of a domain expects the domain in their certificates (embed/config.go). */
    private static @Nullable String serverName(Family peer, Flags flags) {
        String domain = flags.text("discovery-srv");
        return domain.isEmpty() || peer.file("trusted-ca-file") != null ? null : domain;
    }

    /** What etcd says about it in its log. */
    static List<Note> notes(Flags flags) {
        List<Note> notes = new ArrayList<>();
        Family client = new Family("", "client", flags);
        Family peer = new Family("peer-", "peer", flags);
        for (Family family : List.of(peer, client)) {
            if (!family.isEmpty()) {
                notes.add(Note.info("starting with " + family.name + " TLS", Map.of("tls-info", told(family),
                        "cipher-suites", flags.list("cipher-suites"))));
            }
        }
        for (String url : flags.urls("listen-peer-urls")) {
            notes.addAll(ignored(url, "peer-url", "scheme is HTTP", !peer.isEmpty(), "--peer-client-cert-auth",
                    peer.isTrue("client-cert-auth")));
        }
        List<String> clientUrls = new ArrayList<>(flags.urls("listen-client-urls"));
        clientUrls.addAll(flags.urls("listen-client-http-urls"));
        for (String url : clientUrls) {
            notes.addAll(ignored(url, "client-url", "scheme is http or unix", !client.isEmpty(), "--client-cert-auth",
                    flags.isTrue("client-cert-auth")));
        }
        return notes;
    }

    private static List<Note> ignored(String url, String field, String scheme, boolean hasCertificate, String flag,
            boolean asksClients) {
        List<Note> notes = new ArrayList<>();
        if (!Urls.isSecure(url) && hasCertificate) {
            notes.add(Note.warning(scheme + " while key and cert files are present; ignoring key and cert files",
                    Map.of(field, url)));
        }
        if (!Urls.isSecure(url) && asksClients) {
            notes.add(Note.warning(scheme + " while " + flag + " is enabled; ignoring client cert auth for this URL",
                    Map.of(field, url)));
        }
        return notes;
    }

    private static String told(Family family) {
        return "cert = " + family.text("cert-file") + ", key = " + family.text("key-file") + ", client-cert="
                + family.text("client-cert-file") + ", client-key=" + family.text("client-key-file") + ", trusted-ca = "
                + family.text("trusted-ca-file") + ", client-cert-auth = "
                + family.isTrue("client-cert-auth") + ", crl-file = "
                + family.revocations();
    }
}
