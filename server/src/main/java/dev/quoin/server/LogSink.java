package dev.quoin.server;

/** Takes log lines. Called by one thread at a time; never throws, and never keeps a line waiting for long. */
interface LogSink {
    /** Takes one line, with its end of line. */
    void write(byte[] line, LogLevel level);
}
