package dev.quoin.member;

/** Who waits to read, under the rules of {@link Answer}. One may stand for any number of reads that came together. */
public interface ReadAnswer {
    /** It is known what has to be applied first, and that this is not so yet. For whoever times what it waits for. */
    default void awaitsApplication() {}

    /** {@link Member#view} now shows everything that was acknowledged before the question was asked. */
    void ready();

    void failed(Failure failure);
}
