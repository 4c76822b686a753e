package dev.quoin.sim;

/**
 * What is asked for on the command line.
 *
 * @param seed the first
 * @param seeds how many
 * @param hours simulated hours after which no other seed is begun
 * @param members how many members every cluster starts with; 0: as the seed says
 * @param trace whether to print what happens
 */
record Options(long seed, long seeds, double hours, int members, boolean trace) {
    static final String USAGE = "usage: ./quoin dev sim [--seed S] [--seeds N | --hours H] [--members M] [--trace]\n"
            + "       ./quoin dev sim mutants [NAME]";

    static Options parse(String[] args) {
        long seed = 1;
        long seeds = -1;
        double hours = -1;
        int members = 0;
        boolean trace = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--seed" -> seed = Long.parseLong(valueOf(args, ++i));
                case "--seeds" -> seeds = Long.parseLong(valueOf(args, ++i));
                case "--hours" -> hours = Double.parseDouble(valueOf(args, ++i));
                case "--members" -> members = Integer.parseInt(valueOf(args, ++i));
                case "--trace" -> trace = true;
                default -> throw new IllegalArgumentException(USAGE);
            }
        }
        boolean unbounded = seeds < 0 && hours < 0;
        return new Options(seed, seeds >= 0 ? seeds : unbounded ? 1 : Long.MAX_VALUE,
                hours >= 0 ? hours : Double.MAX_VALUE, members, trace);
    }

    private static String valueOf(String[] args, int at) {
        if (at == args.length) {
            throw new IllegalArgumentException(USAGE);
        }
        return args[at];
    }
}
