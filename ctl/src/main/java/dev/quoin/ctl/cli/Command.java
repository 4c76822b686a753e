package dev.quoin.ctl.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * A command, or a family of commands: its words of help, its flags, what it does. Built once, in code, and then only read.
 */
public final class Command {
    /** What a command does with what it was given. */
    @FunctionalInterface
    public interface Action {
        void run(Invocation invocation);
    }

    private final String use;
    private final String summary;
    private String description = "";
    private String examples = "";
    private String group = "";
    private String lastWords = "";
    private boolean showsFlagsInUse = true;
    private boolean isHidden;
    private List<String> choices = List.of();
    private final List<Flag> flags = new ArrayList<>();
    private final List<Flag> inherited = new ArrayList<>();
    private final List<Command> children = new ArrayList<>();
    private final List<String> groups = new ArrayList<>();
    private @Nullable Action action;
    private @Nullable Command parent;

    /**
     * @param use how it is called, its name first
     * @param summary one line
     */
    public Command(String use, String summary) {
        this.use = use;
        this.summary = summary;
    }

    /** What its own page of help begins with, instead of the summary. */
    public Command described(String text) {
        description = text;
        return this;
    }

    public Command withExamples(String text) {
        examples = text;
        return this;
    }

    /** Under which title its family lists it. */
    public Command in(String title) {
        group = title;
        return this;
    }

    /** The titles under which its children are listed, in this order. */
    public Command grouped(String... titles) {
        Collections.addAll(groups, titles);
        return this;
    }

    public Command withoutFlagsInUse() {
        showsFlagsInUse = false;
        return this;
    }

    /** A line at the end of every page of help of this program; of its root alone. */
    public Command endingHelpWith(String line) {
        lastWords = line;
        return this;
    }

    /** Left out where commands are listed, and only found by its whole name. */
    public Command hidden() {
        isHidden = true;
        return this;
    }

    /** Takes one argument, which is one of these. */
    public Command choosing(String... arguments) {
        choices = List.of(arguments);
        return this;
    }

    public Command taking(Flag... more) {
        Collections.addAll(flags, more);
        return this;
    }

    /** Flags that its children have too. */
    public Command handingDown(Flag... more) {
        Collections.addAll(inherited, more);
        return this;
    }

    public Command of(Command... more) {
        for (Command child : more) {
            child.parent = this;
            children.add(child);
        }
        return this;
    }

    public Command doing(Action whatToDo) {
        action = whatToDo;
        return this;
    }

    public String name() {
        int space = use.indexOf(' ');
        return space < 0 ? use : use.substring(0, space);
    }

    /** Its name behind those of its parents. */
    public String path() {
        return parent == null ? name() : parent.path() + " " + name();
    }

    String useLine() {
        String line = parent == null ? use : parent.path() + " " + use;
        return showsFlagsInUse && !line.contains("[flags]") ? line + " [flags]" : line;
    }

    String summary() {
        return summary;
    }

    String description() {
        return description.isEmpty() ? summary : description;
    }

    String examples() {
        return examples;
    }

    /** What its root ends pages of help with; empty or a whole line. */
    String lastWords() {
        return parent == null ? lastWords : parent.lastWords();
    }

    String group() {
        return group;
    }

    List<String> groups() {
        return groups;
    }

    boolean isHidden() {
        return isHidden;
    }

    /** What its one argument may be; empty if it is not of this kind. */
    List<String> choices() {
        return choices;
    }

    List<Command> children() {
        return children;
    }

    @Nullable
    Command parent() {
        return parent;
    }

    @Nullable
    Action action() {
        return action;
    }

    /** Its own flags, those it hands down among them, and the one that asks for help. */
    List<Flag> localFlags() {
        List<Flag> local = new ArrayList<>(flags);
        local.addAll(inherited);
        Flag help = Flag.bool("help", "help for " + name()).orShort('h');
        local.add(parent == null ? help.hidden() : help);
        return local;
    }

    /** What its parents hand down, the nearest first. */
    public List<Flag> inheritedFlags() {
        List<Flag> all = new ArrayList<>();
        for (Command each = parent; each != null; each = each.parent) {
            all.addAll(each.inherited);
        }
        return all;
    }

    /** What it hands down itself. */
    public List<Flag> handedDown() {
        return inherited;
    }
}
