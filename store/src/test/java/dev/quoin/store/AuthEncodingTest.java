package dev.quoin.store;

import java.util.HexFormat;
import java.util.List;
import java.util.Random;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import org.junit.jupiter.api.Test;

import dev.quoin.api.authpb.UserAddOptions;
import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** What lies in etcd's buckets, byte for byte, and against the generated classes. */
class AuthEncodingTest {
    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static Bytes hex(String hex) {
        return Bytes.of(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    @Test
    void aUserAddedWithoutOptionsHasAnEmptyOptionsMessage() {
        User user = new User(b("u"), b("pw"), List.of(b("r"), b("s")), User.Options.PASSWORD);
        assertThat(user.encode()).isEqualTo(hex("0a0175 12027077 1a0172 1a0173 2200"));
        assertThat(User.decode(user.encode())).isEqualTo(user);
    }

    @Test
    void aUserWithoutPasswordSaysSo() {
        User user = new User(b("u"), Bytes.EMPTY, List.of(), User.Options.NO_PASSWORD);
        assertThat(user.encode()).isEqualTo(hex("0a0175 22020801"));
        assertThat(User.decode(user.encode())).isEqualTo(user);
    }

    @Test
    void aUserOfAnOldEtcdKeepsHavingNoOptions() {
        User old = User.decode(hex("0a0175 12027077"));
        assertThat(old.hasPassword()).isTrue();
        assertThat(old.grant(b("r")).encode()).isEqualTo(hex("0a0175 12027077 1a0172"));
    }

    @Test
    void aRoleHoldsItsPermissionsInOrderAndLeavesZerosOut() {
        Role role = new Role(b("r"), List.of(new Permission(Permission.READ, new KeyRange(b("a"), b("b"))),
                new Permission(Permission.WRITE, KeyRange.single(b("c"))),
                new Permission(Permission.READWRITE, KeyRange.from(b("d")))));
        assertThat(role.encode()).isEqualTo(hex("0a0172 1206 120161 1a0162 1205 0801 120163 1208 0802 120164 1a0100"));
        assertThat(Role.decode(role.encode())).isEqualTo(role);
    }

    @Test
    void aRoleWithoutPermissionsIsItsName() {
        assertThat(new Role(b("r"), List.of()).encode()).isEqualTo(hex("0a0172"));
    }

    @Test
    void aPasswordIsNotPrinted() {
        User user = new User(b("u"), b("$2a$10$secret"), List.of(), User.Options.PASSWORD);
        assertThat(user.toString()).contains("u").doesNotContain("secret");
        assertThat(new AuthCommand.UserAdd(b("u"), b("secret"), false).toString()).doesNotContain("secret");
        assertThat(new AuthCommand.UserChangePassword(b("u"), b("secret")).toString()).doesNotContain("secret");
    }

    @Test
    void generatedClassesReadAndWriteTheSame() throws InvalidProtocolBufferException {
        long seed = 20261125;
        Random random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            User user = user(random);
            byte[] bytes = generated(user).toByteArray();
            assertThat(user.encode()).as("seed %d, user %d", seed, i).isEqualTo(Bytes.of(bytes));
            assertThat(User.decode(Bytes.of(bytes))).isEqualTo(user);
            Role role = role(random);
            byte[] roleBytes = generated(role).toByteArray();
            assertThat(role.encode()).as("seed %d, role %d", seed, i).isEqualTo(Bytes.of(roleBytes));
            assertThat(Role.decode(Bytes.of(roleBytes))).isEqualTo(role);
            assertThat(dev.quoin.api.authpb.Role.parseFrom(role.encode().toByteArray())).isEqualTo(generated(role));
        }
    }

    private static Bytes some(Random random) {
        return b("x".repeat(random.nextInt(oneIn(random, 9) ? 300 : 3)));
    }

    private static boolean oneIn(Random random, int n) {
        return random.nextInt(n) == 0;
    }

    private static User user(Random random) {
        List<Bytes> roles = random.ints(random.nextInt(4), 0, 9).mapToObj(n -> b("r" + n)).toList();
        User.Options[] options = User.Options.values();
        return new User(some(random), some(random), roles, options[random.nextInt(options.length)]);
    }

    private static Role role(Random random) {
        return new Role(some(random), random.ints(random.nextInt(4), 0, 3)
                .mapToObj(type -> new Permission(type, new KeyRange(some(random), some(random)))).toList());
    }

    private static ByteString string(Bytes bytes) {
        return ByteString.copyFrom(bytes.toByteArray());
    }

    private static dev.quoin.api.authpb.User generated(User user) {
        dev.quoin.api.authpb.User.Builder builder = dev.quoin.api.authpb.User.newBuilder()
                .setName(string(user.name())).setPassword(string(user.password()));
        user.roles().forEach(role -> builder.addRoles(role.toUtf8()));
        return switch (user.options()) {
            case UNSAID -> builder.build();
            case PASSWORD -> builder.setOptions(UserAddOptions.getDefaultInstance()).build();
            case NO_PASSWORD -> builder.setOptions(UserAddOptions.newBuilder().setNoPassword(true)).build();
        };
    }

    private static dev.quoin.api.authpb.Role generated(Role role) {
        dev.quoin.api.authpb.Role.Builder builder = dev.quoin.api.authpb.Role.newBuilder()
                .setName(string(role.name()));
        for (Permission permission : role.permissions()) {
            builder.addKeyPermission(dev.quoin.api.authpb.Permission.newBuilder().setPermTypeValue(permission.type())
                    .setKey(string(permission.range().key())).setRangeEnd(string(permission.range().rangeEnd())));
        }
        return builder.build();
    }
}
