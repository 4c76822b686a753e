package dev.quoin.server.auth;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.store.AuthCommand;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Permission;

/**
 * Ranges that two roles of a user are granted, and ranges that are asked for: what the merged ones allow is compared with a walk over
 * all places where something begins or ends. Three bytes are a grant or, when the first of them is even, a question.
 */
public final class PermissionFuzz {
    private static final Bytes USER = Bytes.utf8("u");
    private static final List<Bytes> ROLES = List.of(Bytes.utf8("r"), Bytes.utf8("s"));
    private static final int STEPS_MAX = 64;

    private PermissionFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        List<AuthCommand> commands = new ArrayList<>(
                List.of(new AuthCommand.UserAdd(Bytes.utf8("root"), Bytes.EMPTY, true),
                        new AuthCommand.UserGrantRole(Bytes.utf8("root"), Bytes.utf8("root")),
                        new AuthCommand.UserAdd(USER, Bytes.EMPTY, true), new AuthCommand.RoleAdd(ROLES.get(0)),
                        new AuthCommand.RoleAdd(ROLES.get(1)), new AuthCommand.UserGrantRole(USER, ROLES.get(0)),
                        new AuthCommand.UserGrantRole(USER, ROLES.get(1))));
        List<KeyRange> granted = new ArrayList<>();
        List<KeyRange> asked = new ArrayList<>();
        for (int at = 0; at + 2 < Math.min(input.length, 3 * STEPS_MAX); at += 3) {
            KeyRange range = range(input[at], input[at + 1], input[at + 2]);
            if ((input[at] & 1) == 0) {
                asked.add(range);
            } else {
                granted.add(range);
                commands.add(new AuthCommand.RoleGrantPermission(ROLES.get(input[at] >> 1 & 1),
                        new Permission(Permission.READ, range)));
            }
        }
        commands.add(new AuthCommand.Enable());
        AuthView view = Views.after(commands.toArray(AuthCommand[]::new));
        Caller caller = new Caller("u", view.revision());
        for (KeyRange range : asked) {
            boolean allowed = view.checkRead(caller, range) == null;
            Invariant.check(allowed == isCovered(range, granted), "%s of %s", range, granted);
        }
    }

    /** A key, a range that does not end before it begins, or all from a key on. */
    private static KeyRange range(byte kind, byte one, byte other) {
        Bytes key = key(one);
        Bytes end = key(other);
        return switch ((kind >> 2 & 0xff) % 4) {
            case 0 -> KeyRange.single(key);
            case 1 -> KeyRange.from(key);
            default -> key.compareTo(end) < 0 ? new KeyRange(key, end)
                    : end.compareTo(key) < 0 ? new KeyRange(end, key) : KeyRange.single(key);
        };
    }

    /** One, two or three letters of a small alphabet. */
    private static Bytes key(byte from) {
        byte[] letters = new byte[1 + (from & 0xff) % 3];
        for (int i = 0; i < letters.length; i++) {
            letters[i] = (byte) ('a' + ((from >> (2 * i)) & 3));
        }
        return Bytes.of(letters);
    }

    private static boolean isCovered(KeyRange wanted, List<KeyRange> granted) {
        TreeSet<Bytes> places = new TreeSet<>(List.of(wanted.key()));
        for (KeyRange range : granted) {
            places.add(range.key());
            places.add(successor(range.key()));
            if (!range.isSingle() && !range.isUnbounded()) {
                places.add(range.rangeEnd());
            }
        }
        return places.stream().filter(place -> holds(wanted, place))
                .allMatch(place -> granted.stream().anyMatch(range -> holds(range, place)));
    }

    private static Bytes successor(Bytes key) {
        byte[] next = new byte[key.length() + 1];
        key.copyTo(next, 0);
        return Bytes.of(next);
    }

    private static boolean holds(KeyRange range, Bytes key) {
        if (range.isSingle()) {
            return key.equals(range.key());
        }
        return key.compareTo(range.key()) >= 0 && (range.isUnbounded() || key.compareTo(range.rangeEnd()) < 0);
    }
}
