package dev.quoin.ctl.cluster;

/**
 * How a member is, as it was asked.
 *
 * @param pid of its process; of the last one, if it has ended
 * @param revision of its store; with {@code term} and {@code dbSizeBytes} 0 unless it answers
 * @param residentBytes memory of its process; 0 if nobody knows
 * @param exitCode of its process; meaningless while it runs
 */
record MemberState(int number, String name, String endpoint, Role role, long pid, long term, long revision,
        long dbSizeBytes, long residentBytes, int exitCode) {
    /** What it is to the others. */
    enum Role {
        LEADER("leader"),
        FOLLOWER("follower"),
        /** It answers, and knows of no leader. */
        LEADERLESS("no leader"),
        /** It runs, and does not answer. */
        SILENT("no answer"),
        ENDED("ended");

        private final String text;

        Role(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    boolean isReady() {
        return role == Role.LEADER || role == Role.FOLLOWER;
    }
}
