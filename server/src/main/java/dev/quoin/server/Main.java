package dev.quoin.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Instant;
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
import dev.quoin.net.NetConfig;
import dev.quoin.server.bootstrap.BootstrapRefused;
import dev.quoin.server.bootstrap.ClusterFlags;
import dev.quoin.server.config.FlagTable;
import dev.quoin.server.config.Flags;
import dev.quoin.server.config.Note;
import dev.quoin.server.config.Refused;

/**
 * The process {@code etcd}, but for its subcommands, which the launcher knows: reads its flags, starts the server, and stops it
 * on SIGTERM or SIGINT. Exit codes: 0 for {@code --version} and {@code --help}, 2 for a flag that does not parse, 1 for anything
 * else that ends it by itself.
 */
public final class Main {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);
    private static final int EXIT_FAILED = 1;
    /** As etcd waits. */
    private static final long LEAVE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private Main() {}

    public static void main(String[] args) throws InterruptedException {
        ServerConfig config;
        Flags flags;
        try {
            switch (Flags.read(args, System.getenv())) {
                case Flags.Wish.Help() -> {
                    System.err.println(FlagTable.usage());
                    System.out.println(FlagTable.help());
                    return;
                }
                case Flags.Wish.ShowVersion() -> {
                    printVersion();
                    return;
                }
                case Flags.Wish.Start(Flags given) -> flags = given;
            }
            Logs.start(LogConfig.of(flags));
            config = ServerConfig.of(flags);
            config.notes().forEach(Main::tell);
            for (OwnCertificate own : config.tls().own()) {
                own.makeUnlessThere(Instant.now());
            }
        } catch (Refused refused) {
            refuse(refused);
            return;
        }
        Thread.setDefaultUncaughtExceptionHandler(Main::escaped);
        run(config, flags);
    }

    private static void tell(Note note) {
        Logs.with(note.isWarning() ? LOG.atWarn() : LOG.atInfo(), note.fields()).log(note.message());
    }

    /** Where etcd would end in plain text, so do we; else in a line of the log. */
    private static void refuse(Refused refused) {
        switch (refused.form()) {
            case USAGE -> System.err.println(refused.getMessage() + "\n" + FlagTable.usage());
            case PANIC -> System.err.println("panic: " + refused.getMessage());
            case PLAIN -> System.err.println(refused.getMessage());
            case CHECK -> {
                Logs.start();
                LOG.atWarn().addKeyValue("error", refused.getMessage()).log("failed to verify flags");
            }
            case FATAL -> {
                Logs.start();
                Logs.with(Logs.fatal(LOG), refused.fields()).log(refused.getMessage());
            }
        }
        System.exit(refused.form().exitCode());
    }

    private static void printVersion() {
        System.out.println("etcd Version: " + Version.ETCD);
        System.out.println("Quoin Version: " + Version.QUOIN);
        System.out.println("Java Version: " + System.getProperty("java.version"));
        System.out.println("OS/Arch: " + System.getProperty("os.name") + "/" + System.getProperty("os.arch"));
    }

    private static void run(ServerConfig config, Flags flags) throws InterruptedException {
        RealDisk disk = new RealDisk();
        Server server;
        try {
            StartLine.write(flags, config, Member.exists(disk, config.member()));
            server = Server.start(config, disk, new RealClock(), Main::halt, Main::leave);
        } catch (BootstrapRefused refused) {
            Logs.fatal(LOG).addKeyValue("error", refused.getMessage()).log("discovery failed");
            if (config.cluster().source() instanceof ClusterFlags.Source.Discovery) {
                LOG.warn("do not reuse discovery token; generate a new one to bootstrap a cluster");
            }
            System.exit(EXIT_FAILED);
            return;
        } catch (StartRefused | DiskFailure | Damaged refused) {
            Logs.fatal(LOG).addKeyValue("error", refused.getMessage()).log("cannot start");
            System.exit(EXIT_FAILED);
            return;
        } catch (IOException refused) {
            Logs.fatal(LOG).addKeyValue("error", refused.getMessage()).log("cannot listen");
            System.exit(EXIT_FAILED);
            return;
        }
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("stop").unstarted(() -> stop(server)));
        announce(server.member(), config, server.clientAddresses());
        InitDaemon.tellReady(System.getenv());
        if (Rehearsal.isAsked()) {
            rehearse(server, config.member().dataDirectory());
        }
    }

    private static void rehearse(Server server, Path directory) throws InterruptedException {
        try {
            Rehearsal.play((InetSocketAddress) server.clientAddresses().getFirst(), directory, Main::halt);
            System.exit(0);
        } catch (IOException failed) {
            Logs.fatal(LOG).addKeyValue("error", failed.getMessage()).log("the rehearsal failed");
            System.exit(EXIT_FAILED);
        }
    }

    private static void announce(Member member, ServerConfig config, List<SocketAddress> addresses) {
        LOG.atInfo().addKeyValue("local-member-id", Long.toHexString(member.memberId()))
                .addKeyValue("cluster-id", Long.toHexString(member.clusterId())).log("ready to serve client requests");
        for (int i = 0; i < addresses.size(); i++) {
            NetConfig.Listen listen = config.clientListeners().get(i);
            String traffic = config.httpListeners().isEmpty() ? "grpc+http" : "grpc";
            if (listen.plain()) {
                LOG.atInfo().addKeyValue("traffic", traffic).addKeyValue("address", text(addresses.get(i)))
                        .log("serving client traffic insecurely; this is strongly discouraged!");
            }
            if (listen.tls()) {
                LOG.atInfo().addKeyValue("traffic", traffic).addKeyValue("address", text(addresses.get(i)))
                        .log("serving client traffic securely");
            }
        }
    }

    private static String text(SocketAddress address) {
        return address instanceof InetSocketAddress inet
                ? inet.getAddress().getHostAddress() + ":" + inet.getPort()
                : address.toString();
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
            Logs.fatal(LOG).addKeyValue("thread", where).setCause(why).log("member must stop: " + why.getMessage());
        } finally {
            Runtime.getRuntime().halt(EXIT_FAILED);
        }
    }
}
