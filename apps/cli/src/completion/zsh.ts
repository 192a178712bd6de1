import type { CommandLine, Flag } from './command-lines.ts'

/** A completion script for zsh; it works sourced, and as the file `_devflow` in a folder of `fpath`. */
export function zshScript(lines: readonly CommandLine[]): string {
  const [program, ...commands] = lines
  const cases = commands.map((line) => `    ${quoted(line.path.join(' '))}) ${specsOf(line)} ;;`)
  const names = commands.map(({ path }) => quoted(path.join(' '))).join('|')
  return `#compdef devflow
# zsh completion of devflow: source <(devflow completion zsh)
_devflow() {
  local route='' word at=1 i
  for ((i = 2; i < CURRENT; i++)); do
    word="\${route:+$route }\${words[i]}"
    case "$word" in
      ${names}) route="$word"; at=$i ;;
    esac
  done
  # What is completed is what comes after the command.
  words=(devflow "\${(@)words[at+1,-1]}")
  ((CURRENT -= at - 1))
  case "$route" in
${cases.join('\n')}
    *) ${program ? specsOf(program) : ':'} ;;
  esac
}
if [[ $funcstack[1] == _devflow ]]; then
  _devflow "$@"
else
  (($+functions[compdef])) || { autoload -Uz compinit && compinit -D; }
  compdef _devflow devflow
fi
`
}

function specsOf({ subcommands, flags, choices, arguments: names }: CommandLine): string {
  const commands = subcommands.map(({ name, about }) => `${name}\\:${escaped(about)}`)
  const operands =
    commands.length > 0
      ? [quoted(`1:command:((${commands.join(' ')}))`)]
      : // Told also where nothing is known of them: what follows an operand nobody told of is not completed.
        names.map((name, at) =>
          quoted(`${at + 1}:${name}:${at === 0 && choices.length > 0 ? listOf(choices) : pathsOf(name)}`),
        )
  return ['_arguments', '-S', ...flags.map(specOf), ...operands].join(' ')
}

function specOf({ name, about, value, choices }: Flag): string {
  const description = `[${about.replace(/[[\]:]/g, '\\$&')}]`
  if (value === undefined) return quoted(`${name}${description}`)
  const what =
    choices.length > 0 ? listOf(choices) : value === 'file' ? '_files' : value === 'folder' ? '_files -/' : ''
  // A star: it may be repeated.
  return quoted(`*${name}=${description}:${value}:${what}`)
}

const pathsOf = (argument: string): string => (argument === 'folder' ? '_files -/' : '')

/** A colon ends what `_arguments` takes for the list. */
const listOf = (choices: readonly string[]): string =>
  `(${choices.map((each) => each.replaceAll(':', '\\:')).join(' ')})`

/** For words inside a list of choices with descriptions. */
const escaped = (text: string): string => text.replace(/[\\():;"'`$ ]/g, '\\$&')

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
