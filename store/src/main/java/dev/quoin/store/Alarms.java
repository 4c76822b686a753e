package dev.quoin.store;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * The alarms that are raised, as {@link Bucket#ALARM} has them, and what they forbid. An alarm of one member binds all of
 * them: what is applied must not depend on who applies it.
 */
final class Alarms {
    private final Buckets buckets;
    /** All that are raised, in the order of the bucket; never changed, only replaced. */
    private List<AlarmMember> raised = List.of();
    private boolean noSpace;
    private boolean corrupt;

    Alarms(Buckets buckets) {
        this.buckets = buckets;
    }

    /** Looks at the bucket anew. */
    void reload() {
        raised = buckets.scan(Bucket.ALARM).keySet().stream().map(AlarmMember::decode).toList();
        noSpace = raised.stream().anyMatch(alarm -> alarm.type() == AlarmMember.NO_SPACE);
        corrupt = raised.stream().anyMatch(alarm -> alarm.type() == AlarmMember.CORRUPT);
    }

    List<AlarmMember> raised() {
        return raised;
    }

    /** What the command answers with: the alarms asked for, or the one that is raised or was taken back. */
    List<AlarmMember> apply(Command.Alarm command) {
        AlarmMember alarm = new AlarmMember(command.memberId(), command.type());
        return switch (command.action()) {
            case GET -> get(command.type());
            case ACTIVATE -> activate(alarm);
            case DEACTIVATE -> deactivate(alarm);
            case UNKNOWN -> List.of();
        };
    }

    private List<AlarmMember> get(int type) {
        return type == AlarmMember.NONE ? raised : raised.stream().filter(alarm -> alarm.type() == type).toList();
    }

    private List<AlarmMember> activate(AlarmMember alarm) {
        if (alarm.type() == AlarmMember.NONE) {
            return List.of();
        }
        if (!raised.contains(alarm)) {
            buckets.put(Bucket.ALARM, alarm.encode(), Bytes.EMPTY);
            reload();
        }
        return List.of(alarm);
    }

    private List<AlarmMember> deactivate(AlarmMember alarm) {
        if (!raised.contains(alarm)) {
            return List.of();
        }
        buckets.delete(Bucket.ALARM, alarm.encode());
        reload();
        return List.of(alarm);
    }

    /** Why the command cannot be done while these alarms are raised, or null. */
    @Nullable
    Refusal refusal(Command command) {
        if (corrupt && touchesData(command)) {
            return Refusal.CORRUPT;
        }
        return noSpace && command.cost() > 0 ? Refusal.NO_SPACE : null;
    }

    private static boolean touchesData(Command command) {
        return switch (command) {
            case Command.Put put -> true;
            case Command.DeleteRange delete -> true;
            case Command.Txn txn -> true;
            case Command.Compact compact -> true;
            case Command.LeaseGrant grant -> true;
            case Command.LeaseRevoke revoke -> true;
            case Command.LeaseCheckpoint checkpoint -> false;
            case Command.Alarm alarm -> false;
            case Command.Nothing nothing -> false;
        };
    }
}
