package dev.quoin.ctl.migrate;

import java.util.List;

/** What is to be done next. */
public sealed interface Step {
    /** Nothing: all members are what they are to be. */
    record Done() implements Step {}

    /** Members that do not answer come first: each is started. One of them may be in the middle of its step. */
    record Finish(List<MemberSeen> down) implements Step {}

    /** The leader is what is left: before it is stopped another one leads. */
    record HandOver(MemberSeen leader, MemberSeen to) implements Step {}

    /** A member is stopped, and started as the other program. */
    record Replace(MemberSeen member) implements Step {}

    /** Ids of those that are stopped or started. */
    default List<Long> touched() {
        return switch (this) {
            case Done() -> List.of();
            case Finish(List<MemberSeen> down) -> down.stream().map(MemberSeen::id).toList();
            case HandOver(MemberSeen leader, MemberSeen to) -> List.of(leader.id());
            case Replace(MemberSeen member) -> List.of(member.id());
        };
    }
}
