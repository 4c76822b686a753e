package dev.quoin.cert;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What is asked of {@code quoin cert}.
 *
 * @param directory     where the authorities are, or are to be
 * @param clients       by their names, which are users' names where certificates stand for users
 * @param key           kind of every key that is made
 * @param days          how long certificates are valid
 * @param authorityDays how long an authority is, if one is made
 * @param renews        whether certificates that are there make room for new ones
 */
record Order(Path directory, List<Member> members, List<String> clients, KeyKind key, int days, int authorityDays,
        boolean renews) {
    /**
     * A member, by its name.
     *
     * @param hosts where it is found by others, who know it by the first; at least one
     */
    record Member(String name, List<Host> hosts) {
        Member {
            hosts = List.copyOf(hosts);
        }

        /** Where others are told to look for it. */
        Host told() {
            return hosts.getFirst();
        }
    }

    static final String USAGE = """
            Usage: quoin cert [flags] NAME=HOST[,HOST...]...

              Makes the certificates of a cluster: for each member NAME, found at each HOST, a name or an address, of which
              others are told the first; and for each client. Who signs them is made, too, unless it is there already.

              --dir DIR         where all is written (default certs)
              --client NAME     a client's name, its user's where certificates stand for users; may come several times
                                (default root, the first time)
              --days N          days that certificates are valid (default 365)
              --ca-days N       days that an authority is (default 3650)
              --key KIND        p256, p384, p521 or rsa3072 (default p256)
              --renew           make new certificates, with new keys, in the place of those that are there

            A cluster of three on one machine, and how to start it:
              quoin cert m1=127.0.0.1 m2=127.0.0.1 m3=127.0.0.1
            Another client, later, and another member:
              quoin cert --client alice
              quoin cert m4=10.0.0.4,m4.example.com
            """;

    /** Of whom a file and a certificate can be named (RFC 5280, ub-common-name). */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]{0,63}");
    private static final Pattern DAYS = Pattern.compile("[1-9][0-9]{0,4}");
    private static final String DAYS_MAX = "99999";

    Order {
        members = List.copyOf(members);
        clients = List.copyOf(clients);
    }

    /** Words of a command line: flags and members in any order. */
    static Order parse(List<String> words) throws Refused {
        Parser parser = new Parser(new ArrayDeque<>(words));
        return parser.parse();
    }

    Order withClients(List<String> others) {
        return new Order(directory, members, others, key, days, authorityDays, renews);
    }

    /** For one command line. */
    private static final class Parser {
        private final Deque<String> words;
        private Path directory = Path.of("certs");
        private final List<Member> members = new ArrayList<>();
        private final List<String> clients = new ArrayList<>();
        private final Set<String> names = new HashSet<>();
        private KeyKind key = KeyKind.P256;
        private int days = 365;
        private int authorityDays = 3650;
        private boolean renews;

        Parser(Deque<String> words) {
            this.words = words;
        }

        Order parse() throws Refused {
            while (!words.isEmpty()) {
                String word = words.removeFirst();
                if (word.startsWith("-")) {
                    takeFlag(word);
                } else {
                    members.add(member(word));
                }
            }
            return new Order(directory, members, clients, key, days, authorityDays, renews);
        }

        private void takeFlag(String word) throws Refused {
            int equals = word.indexOf('=');
            String flag = equals < 0 ? word : word.substring(0, equals);
            if (equals >= 0) {
                words.addFirst(word.substring(equals + 1));
            }
            switch (flag) {
                case "--dir" -> directory = directory(value(flag));
                case "--client" -> clients.add(name(value(flag)));
                case "--days" -> days = days(flag, value(flag));
                case "--ca-days" -> authorityDays = days(flag, value(flag));
                case "--key" -> key = key(value(flag));
                case "--renew" -> {
                    if (equals >= 0) {
                        throw Refused.usage("--renew takes no value");
                    }
                    renews = true;
                }
                default -> throw Refused.usage("unknown flag " + flag);
            }
        }

        private String value(String flag) throws Refused {
            if (words.isEmpty()) {
                throw Refused.usage(flag + " needs a value");
            }
            return words.removeFirst();
        }

        private static Path directory(String text) throws Refused {
            try {
                return Path.of(text);
            } catch (InvalidPathException e) {
                throw Refused.usage("--dir: " + e.getMessage());
            }
        }

        private static int days(String flag, String text) throws Refused {
            if (!DAYS.matcher(text).matches()) {
                throw Refused.usage(flag + " is a number of days, 1 to " + DAYS_MAX + ", not \"" + text + "\"");
            }
            return Integer.parseInt(text);
        }

        private static KeyKind key(String text) throws Refused {
            return KeyKind.of(text)
                    .orElseThrow(() -> Refused.usage("--key is p256, p384, p521 or rsa3072, not \"" + text + "\""));
        }

        private Member member(String word) throws Refused {
            int equals = word.indexOf('=');
            if (equals < 0) {
                throw Refused.usage("a member is NAME=HOST[,HOST...], not \"" + word + "\"");
            }
            List<Host> hosts = new ArrayList<>();
            for (String text : word.substring(equals + 1).split(",", -1)) {
                hosts.add(Host.parse(text).orElseThrow(
                        () -> Refused.usage("a host is a name or an address, not \"" + text + "\": " + word)));
            }
            if (hosts.getFirst().isPattern()) {
                throw Refused.usage("others are told the first host, which must be one: " + word);
            }
            return new Member(name(word.substring(0, equals)), hosts);
        }

        private String name(String text) throws Refused {
            if (!NAME.matcher(text).matches()) {
                throw Refused.usage("a name has letters, digits and . _ @ -, 64 at most, and begins with one of the"
                        + " first two: not \"" + text + "\"");
            }
            if (!names.add(text)) {
                throw Refused.usage("the name " + text + " comes twice");
            }
            return text;
        }
    }
}
