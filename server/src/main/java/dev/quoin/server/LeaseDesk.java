package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.member.LeaseQuestion;
import dev.quoin.member.LeaseReply;
import dev.quoin.member.Member;
import dev.quoin.server.peer.LeaseForwarder;

/** Where clients' questions about leases are taken: this member answers them if it leads, else whoever does. Any thread. */
final class LeaseDesk {
    private final Member member;
    private final LeaseForwarder forwarder;

    LeaseDesk(Member member, LeaseForwarder forwarder) {
        this.member = member;
        this.forwarder = forwarder;
    }

    /** Each is answered once, on some thread that must not be kept waiting. */
    void ask(List<LeaseQuestion> questions) {
        if (member.leader() != member.memberId()) {
            forwarder.forward(questions);
            return;
        }
        List<LeaseQuestion> own = new ArrayList<>(questions.size());
        for (LeaseQuestion question : questions) {
            own.add(question instanceof LeaseQuestion.Renew ? question.withAsker(reply -> told(question, reply))
                    : question);
        }
        member.lessor().ask(own);
    }

    /** A renewal outlives a leader. */
    private void told(LeaseQuestion question, LeaseReply reply) {
        if (reply instanceof LeaseReply.NotPrimary) {
            forwarder.forward(List.of(question));
        } else {
            question.asker().told(reply);
        }
    }
}
