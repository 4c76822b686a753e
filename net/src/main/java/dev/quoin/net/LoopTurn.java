package dev.quoin.net;

/**
 * Told once at the end of every turn of a loop in which messages of {@link Method.Mode#HOT} methods came, on the loop,
 * after the last of them: the place to hand what was gathered over, once. What it writes is flushed with the turn.
 */
@FunctionalInterface
public interface LoopTurn {
    void turnEnded(Loop loop);
}
