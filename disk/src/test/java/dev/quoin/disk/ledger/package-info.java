/** Tests of the ledger: its batches, its readers, and what every fault a disk can have makes of them. */
@NullMarked
package dev.quoin.disk.ledger;

import org.jspecify.annotations.NullMarked;
