package dev.quoin.server.peer;

/**
 * The bounds of what passes between members. etcd has the numbers of messages and the times; the bytes are ours.
 *
 * @param streamMessagesMax messages that wait for a stream; one more is dropped
 * @param pipelineMessagesMax messages that wait to be posted; one more is dropped
 * @param pipelineWorkers posts to one member at the same time
 * @param queuedBytesMax what waits for a stream, or to be posted, beside one message that may be larger
 * @param batchBytes what is gathered into one piece of a stream, beside one message that may be larger
 * @param streamMessageBytesMax one message on a stream
 * @param postedBytesMax one message that is posted
 * @param postedBytesTotalMax all that are being received
 * @param envelopeBytesMax the message in front of a state
 * @param remotesMax senders that are no members as far as we know, and are answered all the same
 * @param snapshotsMax states being sent at the same time
 * @param heartbeatMillis between two signs of life on a stream
 * @param silenceMillisMax without a sign of life, or without an answer, before the other counts as gone
 * @param snapshotAnswerMillisMax how long a receiver may take to store a state
 * @param postMillisMax how long a message that is posted may take to arrive
 * @param snapshotTurnMillisMax how long a state waits for others that are being sent
 * @param redialMillisMin between two attempts to dial a stream
 * @param redialMillisMax the same, where no attempt succeeds
 * @param answerBytesMax an answer to a question; a list of members, say
 */
public record PeerLimits(int streamMessagesMax, int pipelineMessagesMax, int pipelineWorkers, long queuedBytesMax,
        int batchBytes, int streamMessageBytesMax, int postedBytesMax, long postedBytesTotalMax, int envelopeBytesMax,
        int remotesMax, int snapshotsMax, long heartbeatMillis, long silenceMillisMax, long snapshotAnswerMillisMax,
        long postMillisMax, long snapshotTurnMillisMax, long redialMillisMin, long redialMillisMax,
        int answerBytesMax) {
    private static final int MIB = 1 << 20;

    public static final PeerLimits DEFAULT = new PeerLimits(4_096, 64, 4, 128 * MIB, MIB / 4,
            PeerStreams.MESSAGE_BYTES_MAX, 64 * MIB, 256 * MIB, 64 * MIB, 64, 2, 1_600, 5_000, 300_000, 60_000, 60_000,
            100,
            1_000,
            MIB);
}
