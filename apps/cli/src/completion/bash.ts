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
_devflow() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path='' word words='' flags='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${path:+$path }\${COMP_WORDS[i]}"
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
