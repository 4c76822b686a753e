package dev.quoin.member;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;

import com.google.gson.stream.JsonWriter;

import dev.quoin.base.Bytes;
import dev.quoin.raft.ConfState;

/** Who takes part in consensus, in the forms in which etcd keeps it. */
final class ConfStates {
    private ConfStates() {}

    /** raftpb.ConfState, as the log and the ledger have it. */
    static Bytes encode(ConfState state) {
        return Bytes.of(dev.quoin.api.raftpb.ConfState.newBuilder().addAllVoters(state.voters())
                .addAllLearners(state.learners()).addAllVotersOutgoing(state.votersOutgoing())
                .addAllLearnersNext(state.learnersNext()).setAutoLeave(state.autoLeave()).build().toByteArray());
    }

    /** As etcd's database has it: unsigned numbers, and no list that is empty. */
    static Bytes json(ConfState state) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject();
            write(json, "voters", state.voters());
            write(json, "learners", state.learners());
            write(json, "voters_outgoing", state.votersOutgoing());
            write(json, "learners_next", state.learnersNext());
            json.name("auto_leave").value(state.autoLeave()).endObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a string refused to be written to", e);
        }
        return Bytes.utf8(text.toString());
    }

    private static void write(JsonWriter json, String name, List<Long> ids) throws IOException {
        if (ids.isEmpty()) {
            return;
        }
        json.name(name).beginArray();
        for (long id : ids) {
            json.jsonValue(Long.toUnsignedString(id));
        }
        json.endArray();
    }
}
