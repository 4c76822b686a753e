package dev.quoin.store;

import org.jspecify.annotations.Nullable;

/**
 * Says who may do what. Asked for every command, after the alarms and before anything is done; its answer must follow
 * from the commands applied before, as the effect of the command depends on it.
 */
@FunctionalInterface
interface Gate {
    /** Everybody may do everything. */
    Gate OPEN = (command, caller) -> null;

    /** Why the caller may not do this, or null. */
    @Nullable
    Refusal refusal(Command command, Caller caller);
}
