# bash completion for keyrotatectl(1)

# Names that the running daemon knows; none where it does not answer.
_keyrotatectl_accounts() {
    local argument socket=()

    for ((argument = 1; argument < COMP_CWORD; argument++)); do
        [[ ${COMP_WORDS[argument]} == --socket ]] &&
            socket=(--socket "${COMP_WORDS[argument + 1]}")
    done
    timeout 2 keyrotatectl "${socket[@]}" --json status --all 2>/dev/null |
        grep -o '"id":"[^"]*","name":"[^"]*"' | cut -d '"' -f 8
}

_keyrotatectl() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local general='--socket --json --version --help'
    local argument command= offered

    case $previous in
    --socket | --file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --active)
        mapfile -t COMPREPLY < <(compgen -W 'primary secondary' -- "$word")
        return
        ;;
    --state)
        mapfile -t COMPREPLY < <(compgen -W 'adopting ok rotating retrying held blocked overdue at_risk watched frozen' -- "$word")
        return
        ;;
    --policy | --for | --since | --until | --reason | --target | --hold | --timeout)
        COMPREPLY=()
        return
        ;;
    esac

    for ((argument = 1; argument < COMP_CWORD; argument++)); do
        case ${COMP_WORDS[argument]} in
        --socket) ((argument++)) ;;
        -*) ;;
        *)
            command=${COMP_WORDS[argument]}
            break
            ;;
        esac
    done

    case $command in
    '') offered="status plan history config identify ping help rotate redeliver adopt hold resume unblock check confirm reload log-level $general" ;;
    status) offered='--state --policy --all --watch' ;;
    config)
        offered=
        [[ $previous == config ]] && offered=show
        ;;
    help) offered='status plan history config identify ping help rotate redeliver adopt hold resume unblock check confirm reload log-level' ;;
    check) offered='--all' ;;
    plan) offered='--until --calendar --ics' ;;
    history) offered='--since --until --failed --csv --verify' ;;
    identify) offered='--scan' ;;
    resume) offered='--all --hold' ;;
    rotate) offered='--wait --timeout --dry-run' ;;
    redeliver) offered='--target' ;;
    adopt) offered='--active --file --rule --yes' ;;
    reload) offered='--dry-run' ;;
    log-level)
        offered='--for --until'
        [[ $previous == log-level ]] && offered+=' error warning notice info debug configured'
        ;;
    hold) offered='--all --for --until --reason --list' ;;
    *) offered= ;;
    esac
    if [[ $command == identify && $word != -* && " ${COMP_WORDS[*]} " == *' --scan '* ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    case $command in
    status | plan | history | config | rotate | redeliver | adopt | hold | resume | unblock | check | confirm)
        [[ $word == -* ]] || offered+=" $(_keyrotatectl_accounts)"
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$word")
}

complete -F _keyrotatectl keyrotatectl
