package dev.quoin.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Random commands and questions that etcd 3.7.1's own auth store was given, with what it answered and, now and then, all
 * that its buckets then held; the same must come of them here. The scripts were written by {@code authscript.go}, which
 * lies beside them. Names, keys and bytes are in hexadecimal, {@code -} for none.
 */
class AuthScriptTest {
    private Buckets buckets = new Buckets(payload -> {});
    private Auth auth = AuthTest.open(buckets);

    @ParameterizedTest
    @ValueSource(strings = {"auth-etcd-3.7.1.txt", "auth-many-etcd-3.7.1.txt"})
    void everyAnswerAndEveryByteIsEtcds(String script) {
        List<String> dump = new ArrayList<>();
        int number = 0;
        for (String line : lines(script)) {
            number++;
            if (line.startsWith("dump ")) {
                dump.add(line);
                continue;
            }
            compare(dump, script, number);
            assertThat(answer(line)).as("%s, line %d", script, number).isEqualTo(line);
        }
        compare(dump, script, number);
        assertThat(number).isGreaterThan(400);
    }

    private void compare(List<String> dump, String script, int line) {
        if (!dump.isEmpty()) {
            assertThat(dump()).as("%s, up to line %d", script, line).isEqualTo(dump);
            dump.clear();
        }
    }

    private static List<String> lines(String script) {
        try (InputStream in = Objects.requireNonNull(AuthScriptTest.class.getResourceAsStream(script))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> dump() {
        List<String> lines = new ArrayList<>();
        for (Bucket bucket : List.of(Bucket.AUTH, Bucket.AUTH_ROLES, Bucket.AUTH_USERS)) {
            buckets.scan(bucket).forEach(
                    (key, value) -> lines.add("dump " + bucket.bucketName() + " " + hex(key) + " " + hex(value)));
        }
        return lines;
    }

    /** The line with the answer that is given here. */
    private String answer(String line) {
        String[] word = line.split(" ");
        return switch (word[0]) {
            case "new" -> {
                buckets = new Buckets(payload -> {});
                auth = AuthTest.open(buckets);
                yield line;
            }
            case "enable" -> "enable " + apply(new AuthCommand.Enable());
            case "disable" -> "disable " + apply(new AuthCommand.Disable());
            case "status" -> "status " + apply(new AuthCommand.Status());
            case "authenticate" -> start(word, 2) + apply(new AuthCommand.Authenticate(b(word[1]), Bytes.utf8("p")));
            case "useradd" ->
                start(word, 4) + apply(new AuthCommand.UserAdd(b(word[1]), b(word[2]), word[3].equals("true")));
            case "userdelete" -> start(word, 2) + apply(new AuthCommand.UserDelete(b(word[1])));
            case "userget" -> start(word, 2) + apply(new AuthCommand.UserGet(b(word[1])));
            case "userlist" -> "userlist " + apply(new AuthCommand.UserList());
            case "passwd" -> start(word, 3) + apply(new AuthCommand.UserChangePassword(b(word[1]), b(word[2])));
            case "grantrole" -> start(word, 3) + apply(new AuthCommand.UserGrantRole(b(word[1]), b(word[2])));
            case "revokerole" -> start(word, 3) + apply(new AuthCommand.UserRevokeRole(b(word[1]), b(word[2])));
            case "roleadd" -> start(word, 2) + apply(new AuthCommand.RoleAdd(b(word[1])));
            case "roledelete" -> start(word, 2) + apply(new AuthCommand.RoleDelete(b(word[1])));
            case "roleget" -> start(word, 2) + apply(new AuthCommand.RoleGet(b(word[1])));
            case "rolelist" -> "rolelist " + apply(new AuthCommand.RoleList());
            case "grantnothing" -> start(word, 2) + apply(new AuthCommand.RoleGrantPermission(b(word[1]), null));
            case "grantperm" -> start(word, 5) + apply(new AuthCommand.RoleGrantPermission(b(word[1]),
                    new Permission(Integer.parseInt(word[2]), range(word[3], word[4]))));
            case "revokeperm" ->
                start(word, 4) + apply(new AuthCommand.RoleRevokePermission(b(word[1]), range(word[2], word[3])));
            case "admin?" -> start(word, 3) + text(auth.view().checkRoot(caller(word)));
            case "read?" -> start(word, 5) + text(auth.view().checkRead(caller(word), range(word[3], word[4])));
            case "write?" -> start(word, 5) + text(auth.view().checkWrite(caller(word), range(word[3], word[4])));
            case "put?" -> start(word, 4) + text(auth.view().checkWrite(caller(word), KeyRange.single(b(word[3]))));
            default -> throw new IllegalArgumentException(line);
        };
    }

    private static String start(String[] words, int count) {
        return String.join(" ", List.of(words).subList(0, count)) + " ";
    }

    private static Caller caller(String[] word) {
        return new Caller(b(word[1]).toUtf8(), Long.parseUnsignedLong(word[2]));
    }

    private static KeyRange range(String key, String end) {
        return new KeyRange(b(key), b(end));
    }

    private static Bytes b(String hex) {
        return hex.equals("-") ? Bytes.EMPTY : Bytes.of(HexFormat.of().parseHex(hex));
    }

    private static String hex(Bytes bytes) {
        return bytes.isEmpty() ? "-" : HexFormat.of().formatHex(bytes.toByteArray());
    }

    private String apply(AuthCommand command) {
        return switch (auth.apply(command)) {
            case AuthOutcome.Done(),AuthOutcome.Enabled(),AuthOutcome.Disabled() -> "ok";
            case AuthOutcome.LoggedOut _,AuthOutcome.Authenticated _ -> "ok";
            case AuthOutcome.Status(boolean enabled, long revision) -> enabled + " " + revision;
            case AuthOutcome.UserRoles(List<Bytes> names) -> list(names);
            case AuthOutcome.Users(List<Bytes> names) -> list(names);
            case AuthOutcome.Roles(List<Bytes> names) -> list(names);
            case AuthOutcome.RolePermissions(List<Permission> permissions) ->
                "ok" + permissions.stream().map(permission -> " " + permission.type() + ","
                        + hex(permission.range().key()) + "," + hex(permission.range().rangeEnd()))
                        .collect(Collectors.joining());
            case AuthOutcome.Refused(Refusal reason) -> text(reason);
        };
    }

    private static String list(List<Bytes> names) {
        return "ok" + names.stream().map(name -> " " + hex(name)).collect(Collectors.joining());
    }

    /** As etcd's auth store words it, before its server translates that. */
    private static String text(@Nullable Refusal refusal) {
        if (refusal == null) {
            return "ok";
        }
        return "auth: " + switch (refusal) {
            case ROOT_USER_NOT_EXIST -> "root user does not exist";
            case ROOT_ROLE_NOT_EXIST -> "root user does not have root role";
            case USER_ALREADY_EXIST -> "user already exists";
            case USER_EMPTY -> "user name is empty";
            case USER_NOT_FOUND -> "user not found";
            case ROLE_ALREADY_EXIST -> "role already exists";
            case ROLE_NOT_FOUND -> "role not found";
            case ROLE_EMPTY -> "role name is empty";
            case PERMISSION_NOT_GIVEN -> "permission not given";
            case AUTH_FAILED -> "authentication failed, invalid user ID or password";
            case NO_PASSWORD_USER -> "authentication failed, password was given for no password user";
            case PERMISSION_DENIED -> "permission denied";
            case ROLE_NOT_GRANTED -> "role is not granted to the user";
            case PERMISSION_NOT_GRANTED -> "permission is not granted to the role";
            case AUTH_NOT_ENABLED -> "authentication is not enabled";
            case AUTH_OLD_REVISION -> "revision in header is old";
            case INVALID_AUTH_MANAGEMENT -> "invalid auth management";
            default -> throw new IllegalArgumentException("not an answer of the auth store: " + refusal);
        };
    }
}
