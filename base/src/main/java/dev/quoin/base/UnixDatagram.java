package dev.quoin.base;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * Datagrams to a socket of unix, which Java has no class for: systemd is told so that a service is ready, and its journal
 * takes lines so. Calls the system's C library through {@code java.lang.foreign}; there is no native code of ours.
 */
public final class UnixDatagram {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int MSG_NOSIGNAL = 0x4000;
    /** Of {@code sockaddr_un.sun_path}, its last byte a zero. */
    private static final int PATH_BYTES_MAX = 107;
    private static final int FAMILY_BYTES = 2;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle SOCKET = function("socket",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT));
    private static final MethodHandle SEND = function("sendto",
            FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle CLOSE = function("close",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private UnixDatagram() {}

    @SuppressWarnings("restricted") // The launcher allows it; the functions and what they take are named here.
    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor,
                Linker.Option.captureCallState("errno"));
    }

    /**
     * Sends one datagram, whole.
     *
     * @param socket its path; one that begins with {@code @} is a name without a file
     * @throws IOException if nobody takes it
     */
    public static void send(String socket, byte[] datagram) throws IOException {
        byte[] path = socket.getBytes(StandardCharsets.UTF_8);
        if (path.length == 0 || path.length > PATH_BYTES_MAX) {
            throw new IOException("not the path of a socket: " + socket);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int descriptor = (int) SOCKET.invokeExact(state, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            if (descriptor < 0) {
                throw failed("socket", socket, state);
            }
            try {
                MemorySegment address = address(arena, path);
                MemorySegment bytes = arena.allocate(Math.max(1, datagram.length));
                MemorySegment.copy(datagram, 0, bytes, ValueLayout.JAVA_BYTE, 0, datagram.length);
                long sent = (long) SEND.invokeExact(state, descriptor, bytes, (long) datagram.length, MSG_NOSIGNAL,
                        address, (int) address.byteSize());
                if (sent != datagram.length) {
                    throw failed("sendto", socket, state);
                }
            } finally {
                int _ = (int) CLOSE.invokeExact(state, descriptor);
            }
        } catch (IOException | RuntimeException | Error failed) {
            throw failed;
        } catch (Throwable impossible) {
            throw new IllegalStateException("a system call threw", impossible);
        }
    }

    /** A file's path ends with a zero; a name without a file begins with one, and has the length it has. */
    private static MemorySegment address(Arena arena, byte[] path) {
        boolean isAbstract = path[0] == '@';
        MemorySegment address = arena.allocate(FAMILY_BYTES + path.length + (isAbstract ? 0L : 1L), Short.BYTES);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(path, 0, address, ValueLayout.JAVA_BYTE, FAMILY_BYTES, path.length);
        if (isAbstract) {
            address.set(ValueLayout.JAVA_BYTE, FAMILY_BYTES, (byte) 0);
        }
        return address;
    }

    private static IOException failed(String call, String socket, MemorySegment state) {
        return new IOException(call + " to " + socket + " failed with errno " + (int) ERRNO.get(state, 0L));
    }
}
