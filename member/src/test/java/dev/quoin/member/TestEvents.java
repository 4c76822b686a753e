package dev.quoin.member;

import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.raft.LogLine;
import dev.quoin.store.AuthOutcome;

/** Nothing may go wrong, unless the disk is meant to be full; a removal is told, and damage. */
record TestEvents(Consumer<String> onRemoved, BooleanSupplier isMeantToBeFull, Consumer<Damaged> onDamage)
        implements
            Events {
    @Override
    public void damaged(Damaged damage) {
        onDamage.accept(damage);
    }

    @Override
    public void repaired(String what) {
        throw new AssertionError(what);
    }

    @Override
    public void housekeepingRefused(DiskFailure failure) {
        diskFull(failure);
    }

    @Override
    public void changeRefused(String why) {}

    @Override
    public void changeRejected(String arithmetic) {}

    @Override
    public void forced(String what) {}

    @Override
    public void consensus(LogLine line) {}

    @Override
    public void diskHangs(long nanos) {}

    @Override
    public void auth(long index, AuthOutcome outcome) {}

    @Override
    public void diskFull(DiskFailure failure) {
        if (!isMeantToBeFull.getAsBoolean()) {
            throw failure;
        }
    }

    @Override
    public void diskHasRoom() {}

    @Override
    public void quotaFills(int percent, long bytesInUse, long quotaBytes) {}

    @Override
    public void alarmLifted() {}

    @Override
    public void removed(String why) {
        onRemoved.accept(why);
    }
}
