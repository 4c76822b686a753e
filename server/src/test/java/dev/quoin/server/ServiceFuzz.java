package dev.quoin.server;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.Rpc;
import dev.quoin.api.v3electionpb.V3Election;
import dev.quoin.api.v3lockpb.V3Lock;
import dev.quoin.base.Bytes;
import dev.quoin.net.InnerCall;
import dev.quoin.net.Metadata;
import dev.quoin.net.Status;
import dev.quoin.store.Refusal;

/**
 * Calls of a service, as an input chooses them, of a whole server: the gates, the service, the log and the store. A target for each
 * service. Whatever is asked is answered with a status that etcd might give as well, and the server serves on.
 *
 * <p>The first byte says who calls, and whether access is controlled. Then up to {@value #CALLS_MAX} calls: a byte for the method,
 * one for what becomes of it (how many messages, if it takes several), then its messages ({@link ChosenMessages}).
 */
public final class ServiceFuzz {
    private static final int CALLS_MAX = 4;
    private static final int MESSAGES_MAX = 4;
    /** Nobody here gives a lock back while another waits for it. */
    private static final Set<String> WAITING = Set.of("Lock", "Campaign");
    private static final Set<String> ENDLESS = Set.of("Watch", "Observe");
    private static final Metadata STRANGER = Metadata.of("token", "stolen.7");
    /** What etcd answers with the code Unknown, or fails to translate, but for what means that a member is in trouble. */
    private static final List<String> UNKNOWN_OF_ETCD = List.of(
            "auth: authentication failed, password was given for no password user", "mutex: session is expired",
            "election: not leader", "election: no leader", "\"leader\" field must be provided",
            "etcdserver: unknown method", "etcdserver: re-configuration failed due to not enough started members",
            "bcrypt: password length exceeds 72 bytes");
    private static final Set<String> TROUBLE = Set.of("etcdserver: too many requests", "etcdserver: server stopped");

    private static @Nullable FuzzedServer open;
    private static @Nullable FuzzedServer controlled;

    private ServiceFuzz() {}

    /** etcdserverpb.KV. */
    public static final class Kv {
        private Kv() {}

        public static void fuzzerTestOneInput(byte[] input) throws InterruptedException {
            ask("KV", input);
        }
    }

    /** etcdserverpb.Watch. */
    public static final class Watch {
        private Watch() {}

        public static void fuzzerTestOneInput(byte[] input) throws InterruptedException {
            ask("Watch", input);
        }
    }

    /** etcdserverpb.Lease. */
    public static final class Lease {
        private Lease() {}

        public static void fuzzerTestOneInput(byte[] input) throws InterruptedException {
            ask("Lease", input);
        }
    }

    /** etcdserverpb.Cluster. */
    public static final class Cluster {
        private Cluster() {}

        public static void fuzzerTestOneInput(byte[] input) throws InterruptedException {
            ask("Cluster", input);
        }
    }

    /** etcdserverpb.Maintenance. */
    public static final class Maintenance {
        private Maintenance() {}

        public static void fuzzerTestOneInput(byte[] input) throws InterruptedException {
            ask("Maintenance", input);
        }
    }

    /** etcdserverpb.Auth. */
    public static final class Auth {
        private Auth() {}

        public static void fuzzerTestOneInput(byte[] input) throws InterruptedException {
            ask("Auth", input);
        }
    }

    /** v3lockpb.Lock. */
    public static final class Lock {
        private Lock() {}

        public static void fuzzerTestOneInput(byte[] input) throws InterruptedException {
            ask("Lock", input);
        }
    }

    /** v3electionpb.Election. */
    public static final class Election {
        private Election() {}

        public static void fuzzerTestOneInput(byte[] input) throws InterruptedException {
            ask("Election", input);
        }
    }

    /** A call that was made, and how it ended. */
    record Answered(String method, Status status) {
        /** Whether it was not refused: what never ends by itself was given up. */
        boolean isDone() {
            return status.isOk() || status.code() == Status.Code.CANCELLED
                    || status.code() == Status.Code.DEADLINE_EXCEEDED;
        }
    }

    /** The methods of a service, in an order of their own that inputs rely on. */
    static List<MethodDescriptor> methods(String service) {
        return List.of(Rpc.getDescriptor(), V3Lock.getDescriptor(), V3Election.getDescriptor()).stream()
                .flatMap(file -> file.getServices().stream()).filter(one -> one.getName().equals(service))
                .map(ServiceDescriptor::getMethods).flatMap(List::stream)
                .sorted(Comparator.comparing(MethodDescriptor::getName)).toList();
    }

    /**
     * Makes the calls of an input.
     *
     * @return them; what is wrong is thrown
     */
    static synchronized List<Answered> ask(String service, byte[] input) throws InterruptedException {
        Choices choices = new Choices(input);
        int who = choices.of(8);
        boolean isControlled = who > 2;
        FuzzedServer server = server(isControlled);
        Metadata headers = switch (who) {
            case 4 -> server.asAlice();
            case 5, 6 -> server.asRoot();
            case 7 -> STRANGER;
            default -> Metadata.EMPTY;
        };
        ChosenMessages messages = new ChosenMessages(choices, server.memberId());
        List<MethodDescriptor> methods = methods(service);
        List<Answered> answered = new ArrayList<>();
        boolean isGood = false;
        try {
            for (int calls = 0; calls < CALLS_MAX && !choices.isEmpty() && server.isAlone(); calls++) {
                MethodDescriptor method = methods.get(choices.of(methods.size()));
                answered.add(called(server, method, headers, choices, messages));
            }
            isGood = isGood(server, answered);
        } finally {
            if (!isGood) {
                retire(isControlled, server);
            }
        }
        return answered;
    }

    private static Answered called(FuzzedServer server, MethodDescriptor method, Metadata headers, Choices choices,
            ChosenMessages messages) throws InterruptedException {
        int form = choices.of(256);
        boolean isWaiting = WAITING.contains(method.getName());
        boolean isEndless = ENDLESS.contains(method.getName());
        InnerCall call = server.open("/" + method.getService().getFullName() + "/" + method.getName(), headers,
                isWaiting ? FuzzedServer.SHORT_NANOS : FuzzedServer.PATIENCE_NANOS);
        for (int count = method.isClientStreaming() ? 1 + form % MESSAGES_MAX : 1; count > 0; count--) {
            Bytes message = messages.next(method.getInputType());
            call.send(message);
        }
        call.halfClose();
        if (isEndless) {
            server.refusal();
            call.cancel();
        }
        Status status = FuzzedServer.ended(call).status();
        boolean isGivenUp = status.code() == Status.Code.CANCELLED
                ? isEndless
                : isWaiting && status.code() == Status.Code.DEADLINE_EXCEEDED;
        if (!isGivenUp && server.isAlone() && !isAnswer(status)) {
            throw new AssertionError(method.getFullName() + " is answered " + status);
        }
        return new Answered(method.getName(), status);
    }

    /** Whether a member that is well may answer so. */
    private static boolean isAnswer(Status status) {
        String text = status.message();
        return switch (status.code()) {
            case OK, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, OUT_OF_RANGE,
                    UNAUTHENTICATED ->
                true;
            case INTERNAL -> text.startsWith("grpc: error unmarshalling request: proto: ")
                    || text.startsWith("grpc: failed to unmarshal the received message: proto: ");
            case UNKNOWN -> UNKNOWN_OF_ETCD.contains(text) || isOfTheStore(text);
            case DATA_LOSS -> text.equals("etcdserver: corrupt cluster");
            case RESOURCE_EXHAUSTED -> text.equals("etcdserver: mvcc: database space exceeded");
            case UNIMPLEMENTED -> text.startsWith("RangeStream does not support ");
            case CANCELLED, DEADLINE_EXCEEDED, ABORTED, UNAVAILABLE -> false;
        };
    }

    /** Locks and elections pass on what the store says without its code. */
    private static boolean isOfTheStore(String text) {
        return text.startsWith("etcdserver: ") && !TROUBLE.contains(text)
                && !text.startsWith("etcdserver: request timed out");
    }

    /** Whether the server is one for the next input; what no input may do is thrown. */
    private static boolean isGood(FuzzedServer server, List<Answered> answered) {
        Throwable halted = server.halted();
        if (halted != null) {
            throw new AssertionError("the member has stopped after " + answered, halted);
        }
        if (!server.isMadeReady()) {
            return false;
        }
        Status refusal = server.refusal();
        if (refusal == null || isRootsDoing(refusal)) {
            return refusal == null;
        }
        throw new AssertionError("nothing is served after " + answered + ": " + refusal);
    }

    /** Root may take away its own rights, or its own token. */
    private static boolean isRootsDoing(Status refusal) {
        return refusal.code() == Status.Code.PERMISSION_DENIED || refusal.code() == Status.Code.UNAUTHENTICATED
                || refusal.equals(Errors.of(Refusal.USER_EMPTY));
    }

    private static FuzzedServer server(boolean isControlled) {
        FuzzedServer server = isControlled ? controlled : open;
        if (server == null) {
            server = new FuzzedServer(isControlled);
            if (isControlled) {
                controlled = server;
            } else {
                open = server;
            }
        }
        return server;
    }

    private static void retire(boolean isControlled, FuzzedServer server) {
        if (isControlled) {
            controlled = null;
        } else {
            open = null;
        }
        Thread.ofVirtual().name("retired").start(() -> {
            try {
                server.stop();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /** Stops the servers that are left. */
    static synchronized void end() throws InterruptedException {
        FuzzedServer[] left = {open, controlled};
        open = null;
        controlled = null;
        for (FuzzedServer server : left) {
            if (server != null) {
                server.stop();
            }
        }
    }
}
