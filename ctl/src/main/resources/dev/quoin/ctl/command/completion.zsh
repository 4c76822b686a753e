#compdef etcdctl
# zsh completion for etcdctl: asks etcdctl itself what fits.

_etcdctl() {
    local -a lines offers
    local line directive
    lines=("${(@f)$("${words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    directive=${lines[-1]#:}
    for line in "${(@)lines[1,-2]}"; do
        # _describe wants a colon between a name and what it is, and one within a name hidden.
        offers+=("${${line%%$'\t'*}//:/\\:}${${line#*$'\t'}:+:${line#*$'\t'}}")
    done
    if (( ${#offers} )); then
        _describe 'etcdctl' offers
    elif (( (directive & 4) == 0 )); then
        _files
    fi
}

if [[ "${funcstack[1]}" = "_etcdctl" ]]; then
    _etcdctl
else
    compdef _etcdctl etcdctl
fi
