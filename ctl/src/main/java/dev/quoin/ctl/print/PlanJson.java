package dev.quoin.ctl.print;

import java.util.List;

import dev.quoin.ctl.migrate.Finding;
import dev.quoin.ctl.migrate.Hashes;
import dev.quoin.ctl.migrate.HostCommands;
import dev.quoin.ctl.migrate.MemberSeen;
import dev.quoin.ctl.migrate.MigrationText;
import dev.quoin.ctl.migrate.Plan;
import dev.quoin.ctl.migrate.Sighting;
import dev.quoin.ctl.migrate.Step;

/**
 * A migration's plan as one line of JSON. Ids are numbers without a sign, as everywhere in etcdctl's JSON; what is zero, false or empty is
 * left out, but for {@code safe} and {@code done}.
 */
public final class PlanJson {
    private PlanJson() {}

    /** The line, with its end. */
    public static String of(Plan plan, HostCommands host) {
        Json json = new Json();
        json.object(() -> {
            json.name("to").value(plan.target().program()).name("done").value(plan.isDone()).name("safe")
                    .value(plan.isSafe());
            if (plan.seen().hashes() instanceof Hashes.Equal(long revision)) {
                json.number("equal_at_revision", revision);
            }
            json.name("members").array(plan.seen().members(), member -> member(json, plan.seen(), member))
                    .name("findings").array(plan.findings(), finding -> finding(json, finding))
                    .name("step").object(() -> step(json, plan, host));
        });
        return json + "\n";
    }

    private static void member(Json json, Sighting seen, MemberSeen member) {
        json.object(() -> {
            json.unsigned("id", member.id()).string("name", member.name());
            MemberSeen.Answer answer = member.answer();
            if (answer == null) {
                json.string("error", member.silence());
                return;
            }
            json.string("endpoint", answer.endpoint()).string("program", answer.kind().program())
                    .string("version", answer.version()).string("role", MigrationText.role(member))
                    .number("behind", seen.behind(member)).number("store_bytes", answer.storeBytes());
        });
    }

    private static void finding(Json json, Finding finding) {
        json.object(() -> json.name("severity").value(finding.severity().word()).name("code").value(finding.code())
                .unsigned("member", finding.member()).name("text").value(finding.text())
                .string("remedy", finding.remedy()));
    }

    private static void step(Json json, Plan plan, HostCommands host) {
        switch (plan.step()) {
            case Step.Done() -> json.name("action").value("none");
            case Step.Finish(List<MemberSeen> down) -> json.name("action").value("start").name("members").array(down,
                    member -> named(json, member));
            case Step.HandOver(MemberSeen leader, MemberSeen to) -> {
                json.name("action").value("move-leader").name("from");
                named(json, leader);
                json.name("target");
                named(json, to);
            }
            case Step.Replace(MemberSeen member) -> {
                json.name("action").value("replace").name("member");
                named(json, member);
                json.strings("commands", MigrationText.commands(plan, host)).name("then")
                        .value(MigrationText.verify(member, plan.target()));
            }
        }
    }

    private static void named(Json json, MemberSeen member) {
        json.object(() -> json.unsigned("id", member.id()).string("name", member.name()));
    }
}
