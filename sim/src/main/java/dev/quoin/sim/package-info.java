/**
 * Whole clusters in a made-up world: the members that the server runs, owner by owner, on simulated clocks, a simulated
 * network and disks that fail. One thread and one seed make a run, so a seed brings any failure back.
 *
 * <p>{@link dev.quoin.sim.Simulation} is one run. It has two phases: in the first {@link dev.quoin.sim.Nemesis} breaks
 * things while {@link dev.quoin.sim.Clients} ask; in the second a quorum is healed, and must work again. Three judges look
 * on: {@link dev.quoin.sim.Promises} at every step of consensus, {@link dev.quoin.sim.Model} at every answer, and
 * {@link dev.quoin.sim.States} at what the members hold.
 *
 * <p>{@link dev.quoin.sim.Mutants} shows that the judges see: it plants mistakes into the members' source, and each must be
 * found.
 */
@NullMarked
package dev.quoin.sim;

import org.jspecify.annotations.NullMarked;
