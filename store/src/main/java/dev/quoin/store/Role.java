package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * A named list of permissions, as {@code authpb.Role}. The list is in the order of the permissions' first keys; that of
 * two which begin at the same key is etcd's ({@link RoleSort}).
 */
public record Role(Bytes name, List<Permission> permissions) {
    private static final int NAME = 1;
    private static final int KEY_PERMISSION = 2;

    public Role {
        permissions = List.copyOf(permissions);
    }

    /**
     * This role with one more permission. It takes the place of one on the same range, but only of one that is the first
     * of those that begin at its key: etcd looks no further, and so keeps both.
     */
    Role grant(Permission permission) {
        List<Permission> next = new ArrayList<>(permissions);
        int first = 0;
        while (first < next.size() && next.get(first).range().key().compareTo(permission.range().key()) < 0) {
            first++;
        }
        if (first < next.size() && next.get(first).range().equals(permission.range())) {
            next.set(first, permission);
            return new Role(name, next);
        }
        next.add(permission);
        RoleSort.sortIn(next);
        return new Role(name, next);
    }

    /** This role without what it allows on exactly that range; null if that is nothing. */
    @Nullable
    Role revoke(KeyRange range) {
        List<Permission> next = permissions.stream().filter(permission -> !permission.range().equals(range)).toList();
        return next.size() == permissions.size() ? null : new Role(name, next);
    }

    Bytes encode() {
        ProtoWriter writer = new ProtoWriter(0);
        writer.bytesFieldIfSet(NAME, name);
        for (Permission permission : permissions) {
            writer.bytesField(KEY_PERMISSION, permission.encode());
        }
        return Bytes.of(writer.toByteArray());
    }

    static Role decode(Bytes encoded) {
        Bytes name = Bytes.EMPTY;
        List<Permission> permissions = new ArrayList<>();
        ProtoReader reader = new ProtoReader(encoded);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case NAME -> name = reader.bytes(tag).compact();
                case KEY_PERMISSION -> permissions.add(Permission.decode(reader.bytes(tag)));
                default -> reader.skip(tag);
            }
        }
        return new Role(name, permissions);
    }
}
