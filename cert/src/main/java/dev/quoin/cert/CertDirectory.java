package dev.quoin.cert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A directory with the certificates of a cluster: its authorities, and for each member and client a directory with all that it
 * needs, and nothing else, to be carried to where it lives.
 *
 * <pre>
 * ca.pem       ca.key         signs for the ports that clients use, and for clients
 * peer-ca.pem  peer-ca.key    signs for members among themselves
 * m1/     server.pem  server.key  ca.pem         what m1 shows to clients, and whom of them it lets in
 *         peer.pem    peer.key    peer-ca.pem    the same among members
 * alice/  client.pem  client.key  ca.pem
 * </pre>
 *
 * There are two authorities, since a member takes as a member whoever shows it what its authority for members has signed: a
 * client's certificate must not be enough for a vote. What is there is never written over, unless it is to be renewed; an
 * authority not even then.
 */
final class CertDirectory {
    /** Whoever is on the host of a member may ask it by these, too. */
    private static final List<Host> LOCAL = Stream.of("localhost", "127.0.0.1", "::1").map(Host::parse)
            .flatMap(Optional::stream).toList();
    private static final String CLIENTS_AUTHORITY = "ca";
    private static final String MEMBERS_AUTHORITY = "peer-ca";
    private static final String SERVER = "server";
    private static final String PEER = "peer";
    private static final String CLIENT = "client";
    private static final Set<String> RESERVED = Set.of("ca.pem", "ca.key", "peer-ca.pem", "peer-ca.key");

    private final Path path;
    private final Instant now;

    /** @param now which certificates are valid from */
    CertDirectory(Path path, Instant now) {
        this.path = path;
        this.now = now;
    }

    /** Whether neither authority is there. */
    boolean isNew() {
        return !Files.exists(pem(path, CLIENTS_AUTHORITY)) && !Files.exists(pem(path, MEMBERS_AUTHORITY));
    }

    Path of(String name) {
        return path.resolve(name);
    }

    /**
     * Makes what is asked for, and who signs it if need be.
     *
     * @return a line for each that was made
     * @throws Refused     before anything was written
     * @throws IOException something cannot be read, before anything was written; or written
     */
    List<String> make(Order order) throws Refused, IOException {
        for (Order.Member member : order.members()) {
            checkPlace(member.name(), CLIENT, order.renews());
        }
        for (String client : order.clients()) {
            checkPlace(client, SERVER, order.renews());
        }
        Optional<Authority> forClients = authority(CLIENTS_AUTHORITY);
        Optional<Authority> forMembers = authority(MEMBERS_AUTHORITY);
        List<String> made = new ArrayList<>();
        Files.createDirectories(path);
        Authority clients = forClients.isPresent()
                ? forClients.get()
                : found(CLIENTS_AUTHORITY, "the authority for clients", order, made);
        Authority members = forMembers.isPresent()
                ? forMembers.get()
                : found(MEMBERS_AUTHORITY, "the authority for members among themselves", order, made);
        for (Order.Member member : order.members()) {
            made.add(makeMember(member, clients, members, order));
        }
        for (String client : order.clients()) {
            made.add(makeClient(client, clients, order));
        }
        return made;
    }

    /** @param other what is in the place of somebody of the other kind */
    private void checkPlace(String name, String other, boolean renews) throws Refused {
        if (RESERVED.contains(name)) {
            throw Refused.usage("nobody can be called " + name + ", which is a file of an authority");
        }
        Path place = of(name);
        if (!Files.exists(place)) {
            return;
        }
        if (Files.exists(pem(place, other))) {
            throw Refused.failed(place + " is a " + (other.equals(CLIENT) ? "client's" : "member's")
                    + ": choose another name");
        }
        if (!renews) {
            throw Refused
                    .failed(place + " is there already: --renew makes new certificates in the place of those in it");
        }
    }

    private Optional<Authority> authority(String name) throws Refused, IOException {
        Path certificate = pem(path, name);
        Path key = key(path, name);
        if (!Files.exists(certificate) && !Files.exists(key)) {
            return Optional.empty();
        }
        if (!Files.exists(certificate) || !Files.exists(key)) {
            Path missing = Files.exists(key) ? certificate : key;
            throw Refused.failed(missing + " is missing, which belongs to "
                    + (Files.exists(key) ? key : certificate) + ": bring it back, or name another --dir");
        }
        return Optional.of(Authority.read(certificate, key, now));
    }

    private Authority found(String name, String title, Order order, List<String> made) throws IOException {
        Lifetime lifetime = Lifetime.ofDays(now, order.authorityDays());
        Authority authority = Authority.make("quoin " + name + " " + now.toEpochMilli(), order.key(), lifetime);
        authority.own().write(pem(path, name), key(path, name));
        made.add(pem(path, name) + ", " + key(path, name) + ": " + title + until(authority.own()));
        return authority;
    }

    private String makeMember(Order.Member member, Authority clients, Authority members, Order order)
            throws IOException {
        Path place = Files.createDirectories(of(member.name()));
        Lifetime lifetime = Lifetime.ofDays(now, order.days());
        List<Host> asked = Stream.concat(member.hosts().stream(), LOCAL.stream()).distinct().toList();
        Credential server = clients.issue(Authority.Role.SERVER, member.name(), asked, order.key(), lifetime);
        Credential peer = members.issue(Authority.Role.PEER, member.name(), member.hosts(), order.key(), lifetime);
        copyAuthority(MEMBERS_AUTHORITY, place);
        peer.write(pem(place, PEER), key(place, PEER));
        copyAuthority(CLIENTS_AUTHORITY, place);
        server.write(pem(place, SERVER), key(place, SERVER));
        return place + ": member " + member.name() + ", at "
                + String.join(", ", member.hosts().stream().map(Host::text).toList()) + until(server);
    }

    private String makeClient(String name, Authority clients, Order order) throws IOException {
        Path place = Files.createDirectories(of(name));
        Credential client = clients.issue(Authority.Role.CLIENT, name, List.of(), order.key(),
                Lifetime.ofDays(now, order.days()));
        copyAuthority(CLIENTS_AUTHORITY, place);
        client.write(pem(place, CLIENT), key(place, CLIENT));
        return place + ": client " + name + until(client);
    }

    /** All that stands in its file: while an authority gives way to another, both. */
    private void copyAuthority(String name, Path place) throws IOException {
        PemFiles.copyCertificates(pem(path, name), pem(place, name));
    }

    private static String until(Credential credential) {
        return ", until " + credential.lifetime().until().toString().substring(0, "2000-01-01".length());
    }

    private static Path pem(Path place, String name) {
        return place.resolve(name + ".pem");
    }

    private static Path key(Path place, String name) {
        return place.resolve(name + ".key");
    }
}
