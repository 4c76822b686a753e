package dev.quoin.member;

import java.util.List;

import dev.quoin.raft.Effect;
import dev.quoin.raft.Input;
import dev.quoin.raft.RaftCore;
import dev.quoin.raft.Restart;

/** Sees what consensus is told and what it asks for, as it happens, and changes nothing: the simulator checks promises by it. */
public interface Witness {
    /** Nobody looks. */
    Witness NONE = new Witness() {
        @Override
        public void started(Restart restart) {}

        @Override
        public void stepped(RaftCore core, Input input, List<Effect> effects) {}
    };

    /** What the member found on its disk. */
    void started(Restart restart);

    /** One step, before its effects are performed. */
    void stepped(RaftCore core, Input input, List<Effect> effects);
}
