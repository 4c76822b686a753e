package dev.quoin.server;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.api.etcdserverpb.WatchCreateRequest;
import dev.quoin.api.etcdserverpb.WatchRequest;
import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.member.Member;
import dev.quoin.member.watch.WatchBudget;
import dev.quoin.member.watch.WatchEvents;
import dev.quoin.member.watch.WatchHost;
import dev.quoin.member.watch.WatchHub;
import dev.quoin.member.watch.WatchMessage;
import dev.quoin.member.watch.WatchOptions;
import dev.quoin.member.watch.WatchOutlet;
import dev.quoin.member.watch.WatchStream;
import dev.quoin.net.Call;
import dev.quoin.net.End;
import dev.quoin.net.Handler;
import dev.quoin.net.LongMessage;
import dev.quoin.net.Loop;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.server.metrics.WatchCounts;
import dev.quoin.store.KeyRange;

/**
 * etcdserverpb.Watch: streams of watchers. Each event loop has a {@link WatchHub} for its streams; what watchers are told,
 * and when, is decided there. Here requests are read and messages are written, and who gives requests faster than answers
 * are taken is not read on.
 *
 * <p>While access is controlled a watcher is made only for who may read its range, and that is asked once, as in etcd: what
 * becomes of users later ends none. A refusal is an answer on the stream, which goes on.
 */
final class WatchService implements Handler {
    private static final Logger LOG = LoggerFactory.getLogger(WatchService.class);
    private static final String PATH = "/etcdserverpb.Watch/Watch";
    /** Answers that may wait for room before the stream's requests do. */
    private static final int WAITING_MAX = 16;
    private static final Bytes ZERO_BYTE = Bytes.of(new byte[1]);
    private static final Status COMPACTED_MEANWHILE = Status.of(Status.Code.UNAVAILABLE,
            "quoin: what was being sent has been compacted; watch again from the next revision");

    private final Member member;
    private final Access access;
    private final Answers answers;
    private final ServerLimits limits;
    private final WatchProgress progress;
    private final WatchCounts counts;
    private final WatchBudget budget = new WatchBudget(ServerLimits.watcherBytesMax(Runtime.getRuntime().maxMemory()));
    private final Map<Loop, WatchHub> hubs = new ConcurrentHashMap<>();

    WatchService(Member member, Access access, Answers answers, ServerLimits limits, WatchProgress progress,
            WatchCounts counts) {
        this.member = member;
        this.access = access;
        this.answers = answers;
        this.limits = limits;
        this.progress = progress;
        this.counts = counts;
    }

    List<Method> methods() {
        return List.of(Method.stream(PATH, Method.Kind.BIDI, this));
    }

    /** Tells those how far they are who asked for it; now and then, from any thread. */
    void tick(long nowNanos) {
        hubs.forEach((loop, hub) -> loop.execute(() -> {
            long begun = System.nanoTime();
            hub.tick(nowNanos);
            counts.progressed(System.nanoTime() - begun);
        }));
    }

    /** Any thread: how many revisions those who watch have not been told yet, though nothing keeps them from it. */
    long untold() {
        return hubs.values().stream().mapToLong(WatchHub::untold).max().orElse(0);
    }

    /** A loop's turn of telling those who watch. */
    private void deliver(Runnable task) {
        long begun = System.nanoTime();
        long before = counts.sentEvents();
        task.run();
        counts.delivered(counts.sentEvents() - before, System.nanoTime() - begun);
    }

    private WatchHub hub(Loop loop) {
        return hubs.computeIfAbsent(loop, of -> member.watches().hub(new WatchHost() {
            @Override
            public void execute(Runnable task) {
                of.execute(() -> deliver(task));
            }

            @Override
            public void work(Runnable task) {
                Thread.ofVirtual().name("watch").start(task);
            }
        }, budget));
    }

    // ---- a stream

    private static Stream stream(Call call) {
        return (Stream) Objects.requireNonNull(call.attachment(), "a stream that was not opened");
    }

    @Override
    public void onOpen(Call call) {
        call.attach(new Stream(call));
        counts.streams(1);
    }

    @Override
    public void onMessage(Call call, Bytes message) {
        WatchRequest request;
        try {
            request = WatchRequest.parseFrom(ByteString.copyFrom(message.array(), message.offset(), message.length()));
        } catch (InvalidProtocolBufferException malformed) {
            call.finish(Errors.unreadableInStream(String.valueOf(malformed.getMessage())));
            return;
        }
        long begun = System.nanoTime();
        stream(call).arrived(request);
        counts.controlled(System.nanoTime() - begun);
    }

    /** A client may have said all it wants and go on listening. */
    @Override
    public void onHalfClose(Call call) {}

    @Override
    public void onWritable(Call call) {
        stream(call).roomMade();
    }

    @Override
    public void onEnd(Call call, End why) {
        counts.streams(-1);
        stream(call).ended();
    }

    private final class Stream implements WatchOutlet {
        private final Call call;
        private final WatchStream watchers;
        /** Requests that were read, and for which no other may be sent yet. */
        private int unpaid;
        /** Requests that came while it is being found out whether one before them is permitted. */
        private final ArrayDeque<WatchRequest> held = new ArrayDeque<>();
        private boolean isDeciding;
        private boolean isOver;

        Stream(Call call) {
            this.call = call;
            watchers = hub(call.loop()).open(this, ServerLimits.WATCHERS_PER_STREAM_MAX, limits.messageBytesMax(),
                    progress.jittered(), System.nanoTime());
        }

        void arrived(WatchRequest request) {
            if (isDeciding) {
                held.add(request);
                return;
            }
            switch (request.getRequestUnionCase()) {
                case CREATE_REQUEST -> create(request.getCreateRequest());
                case CANCEL_REQUEST -> watchers.cancel(request.getCancelRequest().getWatchId());
                case PROGRESS_REQUEST -> watchers.requestProgress();
                // One that is not known yet: etcd goes on, too.
                case REQUESTUNION_NOT_SET -> LOG.debug("a watch request of an unknown kind");
            }
            unpaid++;
            pay();
        }

        private void create(WatchCreateRequest request) {
            Bytes key = request.getKey().isEmpty() ? ZERO_BYTE : Bytes.of(request.getKey().toByteArray());
            KeyRange range = new KeyRange(key, Bytes.of(request.getRangeEnd().toByteArray()));
            if (request.getStartRevision() < 0) {
                create(range, request);
                return;
            }
            isDeciding = true;
            access.decide(call, Access.Word.OF_THE_MEMBER, Access.watching(range),
                    (view, caller) -> decided(() -> create(range, request)),
                    refusal -> decided(() -> watchers.refuse(Errors.inGosWords(refusal))));
        }

        /** Says what was decided, and goes on with what came meanwhile. */
        private void decided(Runnable say) {
            isDeciding = false;
            if (isOver) {
                return;
            }
            say.run();
            while (!isDeciding && !held.isEmpty()) {
                arrived(held.remove());
            }
        }

        void ended() {
            isOver = true;
            held.clear();
            watchers.close();
        }

        private void create(KeyRange range, WatchCreateRequest request) {
            List<WatchCreateRequest.FilterType> filters = request.getFiltersList();
            watchers.create(range, request.getStartRevision(), request.getWatchId(),
                    new WatchOptions(request.getProgressNotify(), request.getPrevKv(),
                            filters.contains(WatchCreateRequest.FilterType.NOPUT),
                            filters.contains(WatchCreateRequest.FilterType.NODELETE), request.getFragment()));
        }

        void roomMade() {
            watchers.roomMade();
            pay();
        }

        /** A client that does not take its answers is not asked what else it wants. */
        private void pay() {
            if (unpaid > 0 && watchers.waitingCount() < WAITING_MAX && call.writable()) {
                int now = unpaid;
                unpaid = 0;
                call.request(now);
            }
        }

        @Override
        public boolean hasRoom() {
            return call.writable();
        }

        @Override
        public void send(WatchMessage message) {
            List<Bytes> runs = ((WatchEvents.Whole) message.events()).runs();
            Bytes[] pieces = new Bytes[1 + runs.size()];
            pieces[0] = answers.watchHead(message);
            for (int at = 0; at < runs.size(); at++) {
                pieces[1 + at] = runs.get(at);
            }
            call.send(pieces);
            counts.sent(message.events().count());
        }

        @Override
        public void sendLong(List<WatchMessage> messages, Runnable sent) {
            Thread.ofVirtual().name("watch-long").start(() -> {
                try {
                    for (WatchMessage message : messages) {
                        if (!call.send(new Large(answers.watchHead(message), message))) {
                            break;
                        }
                        counts.sent(message.events().count());
                    }
                } catch (StatusException ended) {
                    call.finish(ended.status());
                } catch (RuntimeException broken) {
                    failed(broken);
                } finally {
                    call.loop().execute(() -> {
                        sent.run();
                        pay();
                    });
                }
            });
        }

        @Override
        public void failed(RuntimeException why) {
            LOG.error("a stream of watchers cannot go on", why);
            call.finish(Status.of(Status.Code.INTERNAL, "internal error"));
        }
    }

    /** A message whose events are read while it is sent. */
    private record Large(Bytes head, WatchMessage message) implements LongMessage {
        @Override
        public long length() {
            return head.length() + message.events().bytes();
        }

        @Override
        public void writeTo(Sink sink) throws StatusException {
            if (!sink.write(head.array(), head.offset(), head.length())) {
                return;
            }
            try {
                message.events().writeTo(sink::write);
            } catch (Damaged lost) {
                LOG.error("a change cannot be read that watchers should be told", lost);
                throw new StatusException(Errors.lost(lost));
            } catch (Gone gone) {
                throw new StatusException(COMPACTED_MEANWHILE);
            }
        }
    }
}
