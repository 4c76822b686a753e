package dev.quoin.server.peer;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Clock;
import dev.quoin.base.Invariant;
import dev.quoin.member.Delivery;
import dev.quoin.member.Inbox;
import dev.quoin.member.IncomingSnapshot;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.Membership;
import dev.quoin.member.Network;
import dev.quoin.member.SnapshotRefused;
import dev.quoin.member.SnapshotState;
import dev.quoin.net.DialTls;
import dev.quoin.net.EventLoops;
import dev.quoin.raft.Message;
import dev.quoin.server.peer.PeerContext.Verdict;

/**
 * The other members, over sockets. Any thread.
 *
 * <p>A member knows who it is only once its directory has been read, and begins to send at once: so the network is given
 * to it closed, drops what it is to send, and reaches out after {@link #open}.
 */
public final class PeerNetwork implements Network {
    private static final Logger LOG = LoggerFactory.getLogger(PeerNetwork.class);

    private final List<String> peerUrls;
    private final PeerLimits limits;
    private final Clock clock;
    private final PeerMetrics metrics;
    private final PeerClient client;
    private final Later later = new Later();
    private final Object changing = new Object(); // held while links come and go
    private volatile SortedMap<Long, PeerLink> links = new TreeMap<>(); // never changed, replaced
    private volatile Membership membership = Membership.NONE;
    private volatile @Nullable Inbox inbox;
    private volatile @Nullable PeerContext context;
    private boolean closed; // guarded by changing

    /**
     * @param peerUrls where others reach this member, as it advertises it
     * @param tls      how members are dialled that speak TLS, or null
     * @param loops    that it dials on; best those of the peer port. They outlive it
     * @param metrics  where it is counted
     * @throws IOException a certificate cannot be read; the text names it
     */
    public PeerNetwork(List<String> peerUrls, PeerLimits limits, @Nullable DialTls tls, EventLoops loops, Clock clock,
            PeerMetrics metrics) throws IOException {
        this.peerUrls = List.copyOf(peerUrls);
        this.limits = limits;
        this.clock = clock;
        this.metrics = metrics;
        client = new PeerClient(limits, tls, loops);
    }

    @Override
    public void start(Inbox to) {
        inbox = to;
        later.start();
    }

    /** Says who this member is, after {@link #start}; now others are dialled. */
    public void open(long memberId, long clusterId) {
        Inbox to = inbox;
        if (to == null || context != null) {
            throw Invariant.violation("a network is opened once, after its start");
        }
        synchronized (changing) {
            context = new PeerContext(memberId, PeerHeaders.own(memberId, clusterId, peerUrls), limits, clock, client,
                    to, intake(), later, new Semaphore(limits.snapshotsMax()), metrics);
            link(membership);
        }
    }

    // ---- what the member asks for

    @Override
    public void members(Membership now) {
        synchronized (changing) {
            membership = now;
            if (context != null) {
                link(now);
            }
        }
    }

    /**
     * Has a link to each other member. One that is there goes only when its member has been removed: while the first
     * entries are applied, which add the members one by one, those to come must be within reach. A remote gives way to a
     * member.
     */
    private void link(Membership now) {
        PeerContext shared = context;
        if (shared == null || closed) {
            return;
        }
        SortedMap<Long, PeerLink> next = new TreeMap<>(links);
        for (PeerLink link : links.values()) {
            boolean replaced = link.isRemote() && now.member(link.id()).isPresent();
            if (replaced || now.isRemoved(link.id())) {
                next.remove(link.id());
                link.close();
            }
        }
        for (MemberInfo member : now.members()) {
            PeerLink present = next.get(member.id());
            if (present != null) {
                present.targets().update(member.peerUrls());
            } else if (member.id() != shared.memberId()) {
                PeerLink link = new PeerLink(member.id(), member.peerUrls(), false, shared);
                next.put(member.id(), link);
                link.start();
            }
        }
        links = next;
    }

    @Override
    public void send(Collection<Message> messages) {
        SortedMap<Long, PeerLink> now = links;
        for (Message message : messages) {
            PeerLink link = now.get(message.to());
            if (link != null) {
                link.send(message);
            }
        }
    }

    @Override
    public void sendSnapshot(Message.InstallSnapshot message, SnapshotState state) {
        PeerLink link = peer(message.to());
        if (link != null) {
            link.sendSnapshot(message, state);
            return;
        }
        state.close();
        later.run(() -> java.util.Objects.requireNonNull(inbox).snapshotSent(message.to(), Delivery.FAILED));
    }

    @Override
    public long activeSinceNanos(long member) {
        PeerLink link = peer(member);
        return link == null ? 0 : link.activity().sinceNanos();
    }

    @Override
    public void close() {
        synchronized (changing) {
            closed = true;
            links.values().forEach(PeerLink::close);
            links = new TreeMap<>();
        }
        later.close();
        client.close();
    }

    // ---- what arrives

    /** A message that was sent to us, in whatever way (etcdserver/server.go Process). */
    Verdict receive(Message message) {
        Verdict verdict = verdict(message);
        if (verdict == Verdict.TOLD) {
            shared().inbox().received(List.of(message));
        }
        return verdict;
    }

    private Verdict verdict(Message message) {
        PeerContext shared = shared();
        if (membership.isRemoved(message.from())) {
            return Verdict.REMOVED_SENDER;
        }
        if (message.to() != shared.memberId()) {
            return Verdict.NOT_FOR_US;
        }
        if (message instanceof Message.InstallSnapshot) {
            return Verdict.SNAPSHOT;
        }
        return Verdict.TOLD;
    }

    private PeerContext.Intake intake() {
        return new PeerContext.Intake() {
            @Override
            public Verdict verdict(Message message) {
                return PeerNetwork.this.verdict(message);
            }

            @Override
            public void tell(List<Message> messages) {
                shared().inbox().received(messages);
            }
        };
    }

    IncomingSnapshot receiveState(Message.InstallSnapshot message) throws SnapshotRefused {
        return shared().inbox().receive(message);
    }

    private PeerContext shared() {
        PeerContext shared = context;
        if (shared == null) {
            throw Invariant.violation("a network that was not opened is asked");
        }
        return shared;
    }

    /** The link to a member; null if it is none as far as we know. */
    @Nullable
    PeerLink peer(long id) {
        PeerLink link = links.get(id);
        return link == null || link.isRemote() ? null : link;
    }

    /** Where a member is counted, be there a link to it or not. */
    PeerMetrics.Link metrics(long id) {
        return metrics.link(id);
    }

    /** Somebody has spoken to us: if we do not know it, it can be answered from now on. */
    void heardFrom(long id, List<String> urls) {
        if (links.containsKey(id) || id == shared().memberId() || membership.isRemoved(id)
                || PeerTargets.parse(urls).isEmpty()) {
            return;
        }
        synchronized (changing) {
            long remotes = links.values().stream().filter(PeerLink::isRemote).count();
            if (closed || links.containsKey(id) || remotes >= limits.remotesMax()) {
                return;
            }
            PeerLink link = new PeerLink(id, urls, true, shared());
            SortedMap<Long, PeerLink> next = new TreeMap<>(links);
            next.put(id, link);
            links = next;
            link.start();
        }
        LOG.atInfo().addKeyValue("remote-peer-id", Long.toHexString(id)).addKeyValue("remote-peer-urls", urls)
                .log("added new remote peer");
    }

    /** To ask members what is not a message. Closed with the network. */
    public PeerClient client() {
        return client;
    }

    PeerLimits limits() {
        return limits;
    }
}
