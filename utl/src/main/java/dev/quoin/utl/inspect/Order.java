package dev.quoin.utl.inspect;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * What {@code quoin inspect} was asked for.
 *
 * @param source a file or a directory
 * @param log where the write-ahead log of a Quoin member is, if it has a place of its own; or null
 * @param other what it is compared with; null if with itself at another revision
 * @param key a key, or what keys begin with
 * @param revision as of which; 0 is the newest
 * @param from the older revision of a comparison; 0 if two files are compared
 * @param isRaw whether a value is to be written as it is
 */
record Order(Verb verb, Path source, @Nullable Path log, @Nullable Path other, Bytes key, long revision, long from,
        boolean isRaw) {
    static final String USAGE = """
            quoin inspect FILE                                what it is: revision, keys, members
            quoin inspect list   FILE [PREFIX] [--rev N]      its keys: mod revision, version, bytes of the value, key
            quoin inspect get    FILE KEY [--rev N] [--raw]   a key and its value; --raw: the bytes of the value, no more
            quoin inspect diff   FILE OTHER [PREFIX]          what differs between two: + and - for keys, ~ for values
            quoin inspect diff   FILE --from N [--rev N] [PREFIX]   the same, between two revisions of one
            quoin inspect export FILE [PREFIX] [--rev N]      a JSON object for each key, in a line; key and value in base64

            FILE is a snapshot, a database of etcd's (member/snap/db), or the data directory of a member that does not run,
            etcd's or Quoin's; --wal-dir DIR says where the log of Quoin's is, if it was given a place of its own. It is only
            read. Objects of Kubernetes are shown with their fields by numbers.
            Ends with 0; with 1 if it was not done, or if something differs; with 2 if it was not understood.
            """;

    enum Verb {
        SUMMARY, LIST, GET, DIFF, EXPORT
    }

    /** The words make no sense; why. */
    static final class Misused extends Exception {
        private static final long serialVersionUID = 1L;

        Misused(String why) {
            super(why);
        }
    }

    static Order parse(List<String> words) throws Misused {
        Options options = new Options(words);
        List<String> rest = options.rest;
        Verb verb = switch (rest.isEmpty() ? "" : rest.getFirst()) {
            case "list" -> Verb.LIST;
            case "get" -> Verb.GET;
            case "diff" -> Verb.DIFF;
            case "export" -> Verb.EXPORT;
            default -> Verb.SUMMARY;
        };
        List<String> names = verb == Verb.SUMMARY ? rest : rest.subList(1, rest.size());
        boolean isOfTwo = verb == Verb.DIFF && options.from == 0;
        int keyAt = isOfTwo ? 2 : 1;
        int least = isOfTwo || verb == Verb.GET ? 2 : 1;
        int most = verb == Verb.SUMMARY ? 1 : keyAt + 1;
        if (names.size() < least || names.size() > most) {
            throw new Misused(names.size() < least ? "something is to be named" : "too much is named");
        }
        return new Order(verb, Path.of(names.getFirst()), options.log, isOfTwo ? Path.of(names.get(1)) : null,
                names.size() > keyAt ? Bytes.utf8(names.get(keyAt)) : Bytes.EMPTY, options.revision, options.from,
                options.isRaw);
    }

    private static final class Options {
        private final List<String> rest = new ArrayList<>();
        private long revision;
        private long from;
        private boolean isRaw;
        private @Nullable Path log;

        Options(List<String> words) throws Misused {
            boolean isOver = false;
            for (int at = 0; at < words.size(); at++) {
                String word = words.get(at);
                if (isOver || !word.startsWith("--")) {
                    rest.add(word);
                } else if (word.equals("--")) {
                    isOver = true;
                } else if (word.equals("--raw")) {
                    isRaw = true;
                } else {
                    int equals = word.indexOf('=');
                    boolean isNext = equals < 0 && at + 1 < words.size();
                    set(equals < 0 ? word : word.substring(0, equals),
                            isNext ? words.get(at + 1) : word.substring(equals + 1));
                    at += isNext ? 1 : 0;
                }
            }
        }

        private void set(String name, String value) throws Misused {
            if (name.equals("--wal-dir")) {
                log = Path.of(value);
                return;
            }
            boolean isRevision = name.equals("--rev");
            if (!isRevision && !name.equals("--from")) {
                throw new Misused("there is no " + name);
            }
            if (!value.matches("[0-9]{1,18}")) {
                throw new Misused(name + " wants a revision, a number");
            }
            if (isRevision) {
                revision = Long.parseLong(value);
            } else {
                from = Long.parseLong(value);
            }
        }
    }
}
