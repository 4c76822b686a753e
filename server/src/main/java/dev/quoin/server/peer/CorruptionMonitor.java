package dev.quoin.server.peer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.member.Failure;
import dev.quoin.member.ReadAnswer;
import dev.quoin.store.HashWalk;
import dev.quoin.store.Hashing;
import dev.quoin.store.KeyHash;

/**
 * Lets a member compare what it holds with what others hold, when it is time (etcdserver/server.go monitorKVHash,
 * monitorCompactHash): each kind on a virtual thread, which does nothing while another member leads.
 */
public final class CorruptionMonitor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CorruptionMonitor.class);

    private final PeerHost host;
    private final List<Thread> threads = new ArrayList<>();

    private CorruptionMonitor(PeerHost host) {
        this.host = host;
    }

    /**
     * Begins, on a network that is open.
     *
     * @param areAllQuoin whether all members are known to be
     * @param requestTimeout how long a member may take for an answer
     */
    public static CorruptionMonitor start(PeerHost host, PeerNetwork network, CorruptionSettings settings,
            BooleanSupplier areAllQuoin, Duration requestTimeout) {
        CorruptionMonitor monitor = new CorruptionMonitor(host);
        CorruptionCheck check = new CorruptionCheck(new Members(host, network, requestTimeout));
        if (settings.compareAllEvery().isPositive()) {
            LOG.atInfo().addKeyValue("local-member-id", Long.toHexString(host.memberId()))
                    .addKeyValue("interval", settings.compareAllEvery()).log("enabled corruption checking");
            monitor.every(settings.compareAllEvery(), "corruption-check", check::compareAll);
        }
        if (settings.afterCompactions() != CorruptionSettings.Mode.OFF) {
            boolean isAsked = settings.afterCompactions() == CorruptionSettings.Mode.ON;
            CorruptionCheck ofCompactions = new CorruptionCheck(new Members(host, network, requestTimeout));
            monitor.every(settings.compareCompactionsEvery(), "compaction-hash-check", () -> {
                if (isAsked || areAllQuoin.getAsBoolean()) {
                    ofCompactions.compareCompactions();
                }
            });
        }
        return monitor;
    }

    /**
     * Whether nobody contradicts what a member holds that has not begun to serve: {@link CorruptionCheck#holdsWhatOthersHold}.
     * The network need not be open.
     *
     * @throws Damaged if a record is lost
     */
    public static boolean holdsWhatOthersHold(PeerHost host, PeerNetwork network, Duration requestTimeout)
            throws InterruptedException {
        return new CorruptionCheck(new Members(host, network, requestTimeout)).holdsWhatOthersHold();
    }

    private interface Check {
        void run() throws InterruptedException;
    }

    private void every(Duration pause, String name, Check check) {
        threads.add(Thread.ofVirtual().name(name).start(() -> {
            try {
                while (true) {
                    Thread.sleep(pause);
                    if (host.leader() == host.memberId()) {
                        run(check);
                    }
                }
            } catch (InterruptedException closed) {
                // That is how it ends.
            }
        }));
    }

    private static void run(Check check) throws InterruptedException {
        try {
            check.run();
        } catch (Damaged damaged) {
            LOG.atWarn().addKeyValue("error", damaged.getMessage()).log("failed to check hash KV");
        }
    }

    @Override
    public void close() {
        threads.forEach(Thread::interrupt);
    }

    /** The members as they are. */
    private record Members(PeerHost host, PeerHashes hashes, Duration requestTimeout)
            implements
                CorruptionCheck.Cluster {
        Members(PeerHost host, PeerNetwork network, Duration requestTimeout) {
            this(host, new PeerHashes(network.client(), network.limits(), requestTimeout.toMillis()), requestTimeout);
        }

        @Override
        public long memberId() {
            return host.memberId();
        }

        @Override
        public KeyHash hash() {
            return switch (host.hash(0)) {
                case Hashing.Known(KeyHash hash) -> hash;
                case Hashing.Refused refused -> throw Invariant.violation("the newest hash is refused: %s", refused);
                case HashWalk walk -> throw Invariant.violation("a hash that nobody has computed");
            };
        }

        @Override
        public List<PeerHash> ask(long revision) throws InterruptedException {
            return hashes.ask(host.memberId(), host.clusterId(), host.membership(), revision);
        }

        @Override
        public List<KeyHash> compactionHashes() {
            return host.compactionHashes();
        }

        @Override
        public boolean linearize() throws InterruptedException {
            CompletableFuture<Boolean> applied = new CompletableFuture<>();
            host.read(new ReadAnswer() {
                @Override
                public void ready() {
                    applied.complete(true);
                }

                @Override
                public void failed(Failure failure) {
                    applied.complete(false);
                }
            });
            try {
                return applied.get(requestTimeout.toNanos(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException | ExecutionException late) {
                return false;
            }
        }

        @Override
        public void raise(long member) {
            host.raiseCorrupt(member);
        }
    }
}
