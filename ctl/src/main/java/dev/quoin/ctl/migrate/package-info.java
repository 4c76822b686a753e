/**
 * How a cluster's members become Quoin, or etcd again, one after the other: what decides, without a question to anybody. A {@link
 * dev.quoin.ctl.migrate.Sighting} is what was seen of a cluster at one look; {@link dev.quoin.ctl.migrate.Plan} says from it what stands
 * in the way and what is to be done next; {@link dev.quoin.ctl.migrate.Arrival} whether a member has come back as it should. {@link
 * dev.quoin.ctl.migrate.MigrationText} has the words.
 *
 * <p>Nothing is kept between two looks: a migration is where the cluster says that it is. So it can be left at any step, and gone on
 * with from elsewhere, or turned round.
 */
@NullMarked
package dev.quoin.ctl.migrate;

import org.jspecify.annotations.NullMarked;
