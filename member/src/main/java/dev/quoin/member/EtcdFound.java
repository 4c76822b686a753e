package dev.quoin.member;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

/**
 * A member of etcd's, as its files show it.
 *
 * @param version of the etcd that its database is made for, {@code 3.6}; empty if nothing is in it yet
 * @param database the file that holds its state
 * @param databaseBytes how long that is, what is unused in it included
 * @param appliedIndex the last entry whose effects are in the database
 * @param lastIndex the last entry in its log
 * @param commitIndex up to where its log says that it is committed; may lag
 * @param torn what a crash has left behind the end of its log, and will be left out; null if nothing
 * @param neededBytes what it will take on the disk in its new form, beside what is there, at most
 * @param freeBytes how much room there is
 */
public record EtcdFound(String version, Path database, long databaseBytes, long memberId, long clusterId, long term,
        long vote, long appliedIndex, long lastIndex, long commitIndex, @Nullable String torn, long neededBytes,
        long freeBytes) {}
