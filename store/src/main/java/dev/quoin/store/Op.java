package dev.quoin.store;

/** One step of a transaction. */
public sealed interface Op {
    record Range(Query query) implements Op {}

    record Put(Command.Put put) implements Op {}

    record Delete(Command.DeleteRange delete) implements Op {}

    record Txn(Command.Txn txn) implements Op {}

    /** A step that names nothing to do. Only a faulty client sends it; {@link RequestCheck} refuses it. */
    record Unset() implements Op {}
}
