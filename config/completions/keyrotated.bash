# bash completion for keyrotated(8)

_keyrotated() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}

    case $previous in
    -c | --config)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --log-format)
        mapfile -t COMPREPLY < <(compgen -W 'auto journal logfmt json' -- "$word")
        return
        ;;
    --log-level)
        mapfile -t COMPREPLY < <(compgen -W 'error warning notice info debug' -- "$word")
        return
        ;;
    --timeout | --identity | --scope)
        COMPREPLY=()
        return
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W '-c --config --check --quiet --json --print-role --identity --scope --accounts --once --timeout
        --log-format --log-level --version --help' -- "$word")
}

complete -F _keyrotated keyrotated
