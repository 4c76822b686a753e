package dev.quoin.server;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.base.UnixDatagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Datagrams of unix, to a real socket: as systemd has one for who must say when it is ready. */
class UnixDatagramTest {
    private static final int DATAGRAM_BYTES_MAX = 1 << 16;

    /** A bound socket. What is sent to it waits in the kernel until it is received. */
    private static final class Receiver implements AutoCloseable {
        private static final FunctionDescriptor INTS = FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);

        private final Arena arena = Arena.ofConfined();
        private final int descriptor;

        /** @param name a path, or {@code @} and a name without a file */
        Receiver(String name) throws Throwable {
            descriptor = (int) function("socket", INTS).invokeExact(1, 2, 0);
            byte[] path = (name + (name.startsWith("@") ? "" : "\0")).getBytes(StandardCharsets.UTF_8);
            MemorySegment address = arena.allocate(2 + path.length, 2);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) 1);
            MemorySegment.copy(path, 0, address, ValueLayout.JAVA_BYTE, 2, path.length);
            if (name.startsWith("@")) {
                address.set(ValueLayout.JAVA_BYTE, 2, (byte) 0);
            }
            int bound = (int) function("bind", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                    .invokeExact(descriptor, address, (int) address.byteSize());
            assertThat(bound).isZero();
        }

        @SuppressWarnings("restricted") // As UnixDatagram.
        private static MethodHandle function(String name, FunctionDescriptor descriptor) {
            return Linker.nativeLinker().downcallHandle(Linker.nativeLinker().defaultLookup().findOrThrow(name),
                    descriptor);
        }

        String receive() throws Throwable {
            MemorySegment bytes = arena.allocate(DATAGRAM_BYTES_MAX);
            long length = (long) function("recv", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT))
                    .invokeExact(descriptor, bytes, (long) DATAGRAM_BYTES_MAX, 0);
            return new String(bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        }

        @Override
        public void close() {
            arena.close();
            try {
                int _ = (int) function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
                        .invokeExact(descriptor);
            } catch (Throwable failed) {
                throw new IllegalStateException(failed);
            }
        }
    }

    @Test
    void arriveAtASocketThatIsAFile(@TempDir Path directory) throws Throwable {
        String path = directory.resolve("notify").toString();
        try (Receiver receiver = new Receiver(path)) {
            InitDaemon.tellReady(Map.of("NOTIFY_SOCKET", path));
            assertThat(receiver.receive()).isEqualTo("READY=1");
        }
    }

    @Test
    void arriveAtASocketThatIsOnlyAName() throws Throwable {
        String name = "@quoin-test-" + ProcessHandle.current().pid();
        try (Receiver receiver = new Receiver(name)) {
            InitDaemon.tellReady(Map.of("NOTIFY_SOCKET", name));
            assertThat(receiver.receive()).isEqualTo("READY=1");
        }
    }

    @Test
    void nobodyThereIsAFailure(@TempDir Path directory) {
        assertThatThrownBy(() -> UnixDatagram.send(directory.resolve("nobody").toString(), new byte[]{1}))
                .isInstanceOf(IOException.class).hasMessageEndingWith("failed with errno 2");
        assertThatThrownBy(() -> UnixDatagram.send("x".repeat(108), new byte[]{1})).isInstanceOf(IOException.class);
    }

    @Test
    void theJournalGetsALineWithItsPriorityAndElseStandardErrorDoes(@TempDir Path directory) throws Throwable {
        Path path = directory.resolve("journal");
        StringBuilder otherwise = new StringBuilder();
        LogSink collect = (line, level) -> otherwise.append(new String(line, StandardCharsets.UTF_8));
        LogJournal journal;
        try (Receiver receiver = new Receiver(path.toString())) {
            journal = LogJournal.open(path, collect);
            journal.write("{\"a\":\nü}\n".getBytes(StandardCharsets.UTF_8), LogLevel.WARN);
            assertThat(receiver.receive()).isEqualTo(
                    "PRIORITY=4\nSYSLOG_IDENTIFIER=etcd\nMESSAGE\n\u0009\0\0\0\0\0\0\0{\"a\":\nü}\n");
        }
        journal.write("lost\n".getBytes(StandardCharsets.UTF_8), LogLevel.WARN);
        assertThat(otherwise).hasToString("lost\n");
    }
}
