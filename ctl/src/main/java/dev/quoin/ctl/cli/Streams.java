package dev.quoin.ctl.cli;

import java.io.InputStream;
import java.io.PrintStream;
import java.util.Map;

/**
 * What a program is given by whoever starts it.
 *
 * @param out what a command answers; written only when it is flushed
 * @param err what is wrong; written at once
 */
public record Streams(InputStream in, PrintStream out, PrintStream err, Map<String, String> environment) {}
