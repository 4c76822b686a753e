package dev.quoin.member;

/** Who waits to read, under the rules of {@link Answer}. One may stand for any number of reads that came together. */
public interface ReadAnswer {
    /** {@link Member#view} now shows everything that was acknowledged before the question was asked. */
    void ready();

    void failed(Failure failure);
}
