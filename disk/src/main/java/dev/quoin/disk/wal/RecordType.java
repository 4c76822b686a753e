package dev.quoin.disk.wal;

/** The kinds of record, as numbered by etcd. */
final class RecordType {
    static final int METADATA = 1;
    static final int ENTRY = 2;
    static final int STATE = 3;
    static final int CRC = 4;
    static final int SNAPSHOT = 5;

    private RecordType() {}
}
