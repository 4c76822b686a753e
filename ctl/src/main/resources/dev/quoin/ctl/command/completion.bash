# bash completion for etcdctl: asks etcdctl itself what fits.

__etcdctl_complete() {
    local current=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]:1:COMP_CWORD-1}") answer directive
    # bash takes --flag=value for three words.
    if [[ $current == = ]]; then
        current=
    elif [[ COMP_CWORD -gt 2 && ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then
        words=("${COMP_WORDS[@]:1:COMP_CWORD-2}")
    fi
    answer=$("${COMP_WORDS[0]}" __completeNoDesc "${words[@]}" "$current" 2>/dev/null) || return
    directive=${answer##*:}
    answer=${answer%:*}
    COMPREPLY=($(compgen -W "${answer//$'\n'/ }" -- "$current"))
    if [[ ${#COMPREPLY[@]} -eq 0 && $((directive & 4)) -eq 0 ]]; then
        compopt -o default 2>/dev/null
    fi
}

complete -F __etcdctl_complete etcdctl
