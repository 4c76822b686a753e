package dev.quoin.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.RealDisk;
import dev.quoin.member.Member;
import dev.quoin.member.StartRefused;
import dev.quoin.server.bootstrap.BootstrapRefused;
import dev.quoin.server.bootstrap.ClusterFlags;

/**
 * The process {@code etcd}: reads its flags, starts the server, and stops it on SIGTERM or SIGINT. Exit codes: 0 for
 * {@code --version} and {@code --help}, 2 for a flag that does not parse, 1 for anything else that ends it by itself.
 */
public final class Main {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);
    private static final int EXIT_FAILED = 1;
    /** As etcd waits. */
    private static final long LEAVE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private Main() {}

    public static void main(String[] args) throws InterruptedException {
        ServerConfig config;
        String logLevel;
        try {
            Flags flags = Flags.parse(args, System.getenv());
            if (flags.isTrue("help")) {
                System.out.print(Flags.help());
                return;
            }
            if (flags.isTrue("version")) {
                printVersion();
                return;
            }
            config = ServerConfig.of(flags);
            logLevel = flags.text("log-level");
        } catch (Flags.Refused refused) {
            refuse(refused);
            return;
        }
        Logs.start(logLevel);
        Thread.setDefaultUncaughtExceptionHandler(Main::escaped);
        run(config);
    }

    /** A flag that does not parse is refused in plain text, as Go does it; what makes no sense in a line of the log. */
    private static void refuse(Flags.Refused refused) {
        if (refused.exitCode == EXIT_FAILED) {
            Logs.start("info");
            LOG.atWarn().addKeyValue("error", refused.getMessage()).log("failed to verify flags");
        } else {
            System.err.println(refused.getMessage());
        }
        System.exit(refused.exitCode);
    }

    private static void printVersion() {
        System.out.println("etcd Version: " + Version.ETCD);
        System.out.println("Quoin Version: " + Version.QUOIN);
        System.out.println("Java Version: " + System.getProperty("java.version"));
        System.out.println("OS/Arch: " + System.getProperty("os.name") + "/" + System.getProperty("os.arch"));
    }

    private static void run(ServerConfig config) throws InterruptedException {
        LOG.atInfo().addKeyValue("etcd-version", Version.ETCD).addKeyValue("quoin-version", Version.QUOIN)
                .addKeyValue("java-version", System.getProperty("java.version"))
                .addKeyValue("name", config.member().name())
                .addKeyValue("data-dir", config.member().dataDirectory().toString())
                .addKeyValue("advertise-client-urls", config.member().clientUrls())
                .addKeyValue("max-request-bytes", config.limits().requestBytesMax())
                .addKeyValue("max-txn-ops", config.limits().txnOpsMax()).log("starting an etcd server");
        Server server;
        try {
            server = Server.start(config, new RealDisk(), new RealClock(), Main::halt, Main::leave);
        } catch (BootstrapRefused refused) {
            LOG.atError().addKeyValue("error", refused.getMessage()).log("discovery failed");
            if (config.cluster().source() instanceof ClusterFlags.Source.Discovery) {
                LOG.warn("do not reuse discovery token; generate a new one to bootstrap a cluster");
            }
            System.exit(EXIT_FAILED);
            return;
        } catch (StartRefused | DiskFailure | Damaged refused) {
            LOG.atError().addKeyValue("error", refused.getMessage()).log("cannot start");
            System.exit(EXIT_FAILED);
            return;
        } catch (IOException refused) {
            LOG.atError().addKeyValue("error", refused.getMessage()).log("cannot listen");
            System.exit(EXIT_FAILED);
            return;
        }
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("stop").unstarted(() -> stop(server)));
        announce(server.member(), server.clientAddresses());
    }

    private static void announce(Member member, List<InetSocketAddress> addresses) {
        LOG.atInfo().addKeyValue("local-member-id", Long.toHexString(member.memberId()))
                .addKeyValue("cluster-id", Long.toHexString(member.clusterId())).log("ready to serve client requests");
        for (InetSocketAddress address : addresses) {
            LOG.atInfo().addKeyValue("traffic", "grpc+http").addKeyValue("address",
                    address.getAddress().getHostAddress() + ":" + address.getPort())
                    .log("serving client traffic insecurely; this is strongly discouraged!");
        }
    }

    /** Stops in order, as at a signal, and with the exit code of one; what waits for the member may still get its answer. */
    private static void leave() {
        Thread.ofPlatform().name("leave").start(() -> {
            LockSupport.parkNanos(LEAVE_NANOS);
            System.exit(0);
        });
    }

    private static void stop(Server server) {
        LOG.info("received signal; shutting down...");
        try {
            server.stop();
            LOG.info("closed etcd server");
        } catch (InterruptedException interrupted) {
            LOG.warn("interrupted while stopping");
        }
    }

    /** What escaped a thread that is not an owner: an Error there is as bad as in one; an exception has cost its task. */
    private static void escaped(Thread thread, Throwable why) {
        if (why instanceof Error) {
            halt(thread.getName(), why);
        }
        LOG.atError().addKeyValue("thread", thread.getName()).setCause(why).log("a task failed");
    }

    /**
     * Ends the process at once: no hook runs, no thread goes on, nobody is answered any more. What was acknowledged is on
     * the disk.
     */
    private static void halt(String where, Throwable why) {
        try {
            LOG.atError().addKeyValue("thread", where).setCause(why).log("member must stop: " + why.getMessage());
        } finally {
            Runtime.getRuntime().halt(EXIT_FAILED);
        }
    }
}
