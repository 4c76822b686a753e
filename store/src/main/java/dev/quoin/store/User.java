package dev.quoin.store;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * Somebody who may be allowed things, as {@code authpb.User}.
 *
 * @param password bcrypt's text, or empty, which no password matches
 * @param roles names, ascending byte by byte
 */
public record User(Bytes name, Bytes password, List<Bytes> roles, Options options) {
    /** The user that must exist, and the role that it must hold, before access is controlled. */
    static final Bytes ROOT = Bytes.utf8("root");

    private static final int NAME = 1;
    private static final int PASSWORD = 2;
    private static final int ROLES = 3;
    private static final int OPTIONS = 4;
    private static final int OPTIONS_NO_PASSWORD = 1;

    /** What was said when the user was added. */
    enum Options {
        /** Nothing, by an etcd older than 3.4. */
        UNSAID,
        /** That there is a password; written as a message without fields. */
        PASSWORD,
        /** That there is none, so that only a certificate can prove who it is. */
        NO_PASSWORD
    }

    public User {
        roles = List.copyOf(roles);
    }

    public boolean hasPassword() {
        return options != Options.NO_PASSWORD;
    }

    /** Whether the user may do everything, by role: the name does not matter. */
    boolean isRoot() {
        return has(ROOT);
    }

    boolean has(Bytes role) {
        return Collections.binarySearch(roles, role) >= 0;
    }

    User withPassword(Bytes newPassword) {
        return new User(name, newPassword, roles, options);
    }

    User grant(Bytes role) {
        List<Bytes> next = new ArrayList<>(roles);
        next.add(role);
        Collections.sort(next);
        return new User(name, password, next, options);
    }

    User revoke(Bytes role) {
        return new User(name, password, roles.stream().filter(held -> !held.equals(role)).toList(), options);
    }

    Bytes encode() {
        ProtoWriter writer = new ProtoWriter(0);
        writer.bytesFieldIfSet(NAME, name);
        writer.bytesFieldIfSet(PASSWORD, password);
        for (Bytes role : roles) {
            writer.bytesField(ROLES, role);
        }
        switch (options) {
            case UNSAID -> {}
            case PASSWORD -> writer.bytesField(OPTIONS, Bytes.EMPTY);
            case NO_PASSWORD -> {
                ProtoWriter inner = new ProtoWriter(0);
                inner.varintField(OPTIONS_NO_PASSWORD, 1);
                writer.bytesField(OPTIONS, inner.buffer(), 0, inner.size());
            }
        }
        return Bytes.of(writer.toByteArray());
    }

    static User decode(Bytes encoded) {
        Bytes name = Bytes.EMPTY;
        Bytes password = Bytes.EMPTY;
        List<Bytes> roles = new ArrayList<>();
        Options options = Options.UNSAID;
        ProtoReader reader = new ProtoReader(encoded);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case NAME -> name = reader.bytes(tag).compact();
                case PASSWORD -> password = reader.bytes(tag).compact();
                case ROLES -> roles.add(reader.bytes(tag).compact());
                case OPTIONS -> options = options(reader.bytes(tag));
                default -> reader.skip(tag);
            }
        }
        return new User(name, password, roles, options);
    }

    private static Options options(Bytes encoded) {
        Options options = Options.PASSWORD;
        ProtoReader reader = new ProtoReader(encoded);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (ProtoReader.field(tag) == OPTIONS_NO_PASSWORD) {
                options = reader.varint(tag) != 0 ? Options.NO_PASSWORD : Options.PASSWORD;
            } else {
                reader.skip(tag);
            }
        }
        return options;
    }

    /** Without the password, which belongs into no log. */
    @Override
    public String toString() {
        return "User[" + name + ", " + roles + ", " + options + "]";
    }
}
