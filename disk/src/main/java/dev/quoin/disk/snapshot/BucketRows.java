package dev.quoin.disk.snapshot;

import dev.quoin.base.Bytes;

/** A bucket: its name and what is in it. */
public record BucketRows(Bytes name, Rows rows) {}
