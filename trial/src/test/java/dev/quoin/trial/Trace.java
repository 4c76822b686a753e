package dev.quoin.trial;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import com.google.protobuf.ByteString;

/**
 * The system calls of a process in the order in which strace saw them begin and end. It reads what
 * {@code strace -f -xx -yy -s BYTES -o FILE} writes: a line for a call, or two where another thread's call came between.
 */
final class Trace {
    /**
     * A call that has ended.
     *
     * @param target the file or socket behind its first argument
     * @param bytes what it wrote or read
     * @param began position in the trace at which strace saw it begin
     * @param ended position at which strace saw it end, the same if nothing came between
     */
    record Call(String name, String target, ByteString bytes, long result, int began, int ended) {}

    /** An HTTP/2 frame that went over a socket, and the positions at which its first and last byte did. */
    record Frame(int type, int flags, int stream, int first, int last) {
        static final int DATA = 0;
        static final int HEADERS = 1;
        private static final int END_STREAM = 1;

        boolean endsStream() {
            return (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0;
        }
    }

    private static final int FRAME_HEADER_BYTES = 9;
    private static final Pattern WHOLE = Pattern.compile("(\\d+) +(\\w+)\\((.*)\\) += (-?\\d+).*");
    private static final Pattern BEGIN = Pattern.compile("(\\d+) +(\\w+)\\((.*) <unfinished \\.\\.\\.>");
    private static final Pattern END = Pattern.compile("(\\d+) +<\\.\\.\\. (\\w+) resumed>(.*)\\) += (-?\\d+).*");
    private static final Pattern TARGET = Pattern.compile("\\d+<(.*?[^-])>");
    private static final Pattern STRING = Pattern.compile("\"((?:\\\\x[0-9a-f]{2})*)\"");
    private static final Pattern HEX = Pattern.compile("\\\\x([0-9a-f]{2})");

    private final List<Call> calls;

    private Trace(List<Call> calls) {
        this.calls = calls;
    }

    static Trace read(Path file) throws IOException {
        List<Call> calls = new ArrayList<>();
        Map<String, Integer> began = new HashMap<>(); // by thread
        List<String> lines = Files.readAllLines(file);
        for (int at = 0; at < lines.size(); at++) {
            Matcher line = BEGIN.matcher(lines.get(at));
            if (line.matches()) {
                began.put(line.group(1), at);
                continue;
            }
            line = WHOLE.matcher(lines.get(at));
            if (line.matches()) {
                calls.add(call(line.group(2), line.group(3), line.group(4), at, at));
                continue;
            }
            line = END.matcher(lines.get(at));
            if (line.matches()) {
                Integer start = began.remove(line.group(1));
                if (start != null) {
                    Matcher beginning = BEGIN.matcher(lines.get(start));
                    String arguments = beginning.matches() ? beginning.group(3) + line.group(3) : line.group(3);
                    calls.add(call(line.group(2), arguments, line.group(4), start, at));
                }
            }
        }
        return new Trace(calls);
    }

    private static Call call(String name, String arguments, String result, int began, int ended) {
        Matcher target = TARGET.matcher(arguments);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (Matcher string = STRING.matcher(arguments); string.find();) {
            for (Matcher hex = HEX.matcher(string.group(1)); hex.find();) {
                bytes.write(Integer.parseInt(hex.group(1), 16));
            }
        }
        return new Call(name, target.lookingAt() ? plain(target.group(1)) : "",
                ByteString.copyFrom(bytes.toByteArray()),
                Long.parseLong(result), began, ended);
    }

    private static String plain(String text) {
        return HEX.matcher(text).replaceAll(
                hex -> Matcher.quoteReplacement(Character.toString((char) Integer.parseInt(hex.group(1), 16))));
    }

    /** The calls that succeeded with something of this kind, in the order in which they began. */
    List<Call> succeeded(Predicate<Call> kind) {
        return calls.stream().filter(call -> call.result() >= 0).filter(kind)
                .sorted((a, b) -> Integer.compare(a.began(), b.began())).toList();
    }

    /** The HTTP/2 frames in what calls of one direction moved over one socket, after a preface of so many bytes. */
    static List<Frame> frames(List<Call> moves, int prefaceBytes) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        List<Call> moverOfByte = new ArrayList<>();
        for (Call move : moves) {
            int moved = (int) move.result();
            if (moved > move.bytes().size()) {
                throw new AssertionError("strace has not shown all of the " + moved + " bytes of " + move);
            }
            all.writeBytes(move.bytes().substring(0, moved).toByteArray());
            for (int i = 0; i < moved; i++) {
                moverOfByte.add(move);
            }
        }
        ByteBuffer bytes = ByteBuffer.wrap(all.toByteArray());
        List<Frame> frames = new ArrayList<>();
        int at = prefaceBytes;
        while (at + FRAME_HEADER_BYTES <= bytes.limit()) {
            int end = at + FRAME_HEADER_BYTES + (bytes.getInt(at) >>> 8); // 24 bits of length
            if (end > bytes.limit()) {
                break;
            }
            frames.add(new Frame(bytes.get(at + 3), bytes.get(at + 4), bytes.getInt(at + 5),
                    moverOfByte.get(at).began(), moverOfByte.get(end - 1).ended()));
            at = end;
        }
        return frames;
    }
}
