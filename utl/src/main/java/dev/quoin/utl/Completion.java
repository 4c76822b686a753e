package dev.quoin.utl;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

import dev.quoin.base.Invariant;

/**
 * What shells are told of the commands, so that they complete them. Other than cobra's, these scripts have all words in them and
 * never ask the program: a key pressed need not wait for a JVM.
 */
final class Completion {
    static final List<String> SHELLS = List.of("bash", "zsh", "fish", "powershell");

    private Completion() {}

    static String of(String shell) {
        return switch (shell) {
            case "bash" -> bash();
            case "zsh" -> "#compdef etcdutl\nautoload -U +X bashcompinit && bashcompinit\n" + bash();
            case "fish" -> fish();
            case "powershell" -> powershell();
            default -> throw Invariant.violation("no shell is called %s", shell);
        };
    }

    /** What may stand behind a command: those below it, and its options. */
    private static List<String> words(Command command) {
        List<String> words = new ArrayList<>();
        command.below().forEach(below -> words.add(below.title()));
        if (command == Command.COMPLETION) {
            words.addAll(SHELLS);
        }
        options(command).forEach(option -> words.add("--" + option.name()));
        words.add("--help");
        return words;
    }

    private static List<Option> options(Command command) {
        List<Option> options = new ArrayList<>(command.options());
        options.addAll(Command.INHERITED);
        return options;
    }

    private static String bash() {
        StringBuilder script = new StringBuilder("""
                # bash completion for etcdutl

                __etcdutl_complete() {
                    local current=${COMP_WORDS[COMP_CWORD]} place=etcdutl word words
                    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                        case "$place $word" in
                """);
        for (Command command : Command.values()) {
            if (command != Command.ROOT) {
                script.append("            '").append(command.path()).append("') place='").append(command.path())
                        .append("' ;;\n");
            }
        }
        script.append("        esac\n    done\n    case $place in\n");
        for (Command command : Command.values()) {
            script.append("        '").append(command.path()).append("') words='")
                    .append(String.join(" ", words(command))).append("' ;;\n");
        }
        return script.append("""
                    esac
                    COMPREPLY=($(compgen -W "$words" -- "$current"))
                    if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
                        COMPREPLY=($(compgen -f -- "$current"))
                    fi
                }

                complete -o filenames -F __etcdutl_complete etcdutl
                """).toString();
    }

    private static String fish() {
        StringBuilder script = new StringBuilder("# fish completion for etcdutl\n\ncomplete -c etcdutl -e\n");
        for (Command command : Command.values()) {
            String condition = "'" + fishCondition(command) + "'";
            for (Command below : command.below()) {
                script.append("complete -c etcdutl -n ").append(condition).append(" -a ").append(below.title())
                        .append(" -d '").append(below.summary()).append("'\n");
            }
            if (command == Command.COMPLETION) {
                script.append("complete -c etcdutl -f -n ").append(condition).append(" -a '")
                        .append(String.join(" ", SHELLS)).append("'\n");
            }
            for (Option option : command == Command.ROOT ? Command.INHERITED : command.options()) {
                script.append("complete -c etcdutl").append(command == Command.ROOT ? "" : " -n " + condition)
                        .append(" -l ").append(option.name())
                        .append(option.kind() == Option.Kind.BOOLEAN ? "" : " -r").append(" -d '")
                        .append(option.help().replace("'", "\\'")).append("'\n");
            }
        }
        return script.toString();
    }

    private static String fishCondition(Command command) {
        List<String> path = List.of(command.path().split(" "));
        if (command == Command.ROOT) {
            return "__fish_use_subcommand";
        }
        return path.stream().skip(1).map(title -> "__fish_seen_subcommand_from " + title)
                .collect(Collectors.joining("; and "));
    }

    private static String powershell() {
        StringBuilder script = new StringBuilder("""
                # PowerShell completion for etcdutl

                Register-ArgumentCompleter -Native -CommandName 'etcdutl' -ScriptBlock {
                    param($wordToComplete, $commandAst, $cursorPosition)
                    $known = @{
                """);
        for (Command command : Command.values()) {
            script.append("        '").append(command.path()).append("' = '").append(String.join(" ", words(command)))
                    .append("'\n");
        }
        return script.append("""
                    }
                    $path = 'etcdutl'
                    foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
                        if ($known.ContainsKey("$path $element")) { $path = "$path $element" }
                    }
                    $known[$path] -split ' ' | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
                        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
                    }
                }
                """).toString();
    }
}
