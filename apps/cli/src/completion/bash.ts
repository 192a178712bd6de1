import type { CommandLine } from './command-lines.ts'

/** A completion script for bash 3.2 and later, without the package bash-completion. */
export function bashScript(lines: readonly CommandLine[]): string {
  const cases = lines.map(({ path, subcommands, flags, choices }) => {
    const words = [...subcommands.map(({ name }) => name), ...choices]
    return `    ${quoted(path.join(' '))}) words=${quoted(words.join(' '))}; flags=${quoted(flags.map(({ name }) => name).join(' '))} ;;`
  })
  const commands = lines.filter(({ path }) => path.length > 0).map(({ path }) => `${quoted(path.join(' '))}`)
  const values = valuesByFlag(lines)
  return `# bash completion of devflow: eval "$(devflow completion bash)"
_devflow_replies() {
  local current="\${typed[last]}" previous="\${typed[last-1]}"
  local path='' word words='' flags='' i
  for ((i = 1; i < last; i++)); do
    word="\${path:+$path }\${typed[i]}"
    case "$word" in
      ${commands.join(' | ')}) path="$word" ;;
    esac
  done
  case "$previous" in
${values}
  esac
  case "$path" in
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
_devflow() {
  local typed=(devflow) last=0 word i
  COMPREPLY=()
  # To bash a colon is a word of its own: scopes have one, as in runs:read.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ $word == :* || \${typed[last]} == *: ]]; then typed[last]+="$word"; else typed[++last]="$word"; fi
  done
  _devflow_replies
  # And what it fills in is what comes behind the colon.
  local head="\${typed[last]%"\${typed[last]##*:}"}"
  if [[ $COMP_WORDBREAKS == *:* ]]; then COMPREPLY=("\${COMPREPLY[@]#"$head"}"); fi
}
complete -o default -F _devflow devflow
`
}

/** What follows an option, told once for each option that takes something. */
function valuesByFlag(lines: readonly CommandLine[]): string {
  const flags = new Map(lines.flatMap((line) => line.flags).map((flag) => [flag.name, flag]))
  return [...flags.values()]
    .filter(({ value }) => value !== undefined)
    .map(({ name, value, choices }) => {
      const words =
        choices.length > 0 ? `COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$current")); ` : ''
      const paths = value === 'folder' ? 'COMPREPLY=($(compgen -d -- "$current")); ' : ''
      return `    ${name}) ${words}${paths}return ;;`
    })
    .join('\n')
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
