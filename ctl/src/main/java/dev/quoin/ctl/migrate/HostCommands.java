package dev.quoin.ctl.migrate;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What is typed on a member's host, as its operators have it. In each template {@code {program}} stands for {@code etcd} or {@code quoin},
 * {@code {name}}, {@code {id}} and {@code {host}} for the member's, {@code {data-dir}} for its data directory.
 *
 * @param export makes a directory of Quoin's one of etcd's
 * @param dataDirectory may hold the others
 */
public record HostCommands(String stop, String start, String export, String dataDirectory) {
    private static final String DOCTOR = "quoin doctor {data-dir}";
    /** What a shell takes as it stands. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_.:@%+=/\\[\\]-]+");

    /** From its one program to the other. */
    List<String> replace(MemberSeen member, Kind target) {
        List<String> commands = new ArrayList<>();
        commands.add(filled(stop, member, target.other()));
        commands.addAll(begin(member, target));
        return commands;
    }

    /** Of a member that is stopped, and was of the other kind. */
    List<String> begin(MemberSeen member, Kind target) {
        List<String> commands = new ArrayList<>();
        if (target == Kind.ETCD) {
            commands.add(filled(export, member, target));
        }
        commands.add(filled(start, member, target));
        return commands;
    }

    /** Tells whose directory it is, and what is half done in it. */
    String doctor(MemberSeen member) {
        return filled(DOCTOR, member, Kind.QUOIN);
    }

    String start(MemberSeen member, Kind kind) {
        return filled(start, member, kind);
    }

    private String filled(String template, MemberSeen member, Kind kind) {
        return named(template.replace("{data-dir}", dataDirectory), member).replace("{program}", kind.program());
    }

    private static String named(String template, MemberSeen member) {
        return template.replace("{name}", quoted(member.label())).replace("{id}", member.hexId())
                .replace("{host}", quoted(member.host()));
    }

    private static String quoted(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
