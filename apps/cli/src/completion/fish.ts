import type { CommandLine, Flag } from './command-lines.ts'

/** A completion script for fish. */
export function fishScript(lines: readonly CommandLine[]): string {
  const rules = lines.flatMap((line) => {
    const when = `__devflow_at ${line.path.length > 0 ? line.path.join(' ') : '""'}`
    const rule = (rest: string) => `complete -c devflow -n ${quoted(when)} ${rest}`
    return [
      ...line.subcommands.map(({ name, about }) => rule(`-f -a ${quoted(name)} -d ${quoted(about)}`)),
      ...(line.choices.length > 0 ? [rule(`-f -a ${quoted(line.choices.join(' '))}`)] : []),
      ...(line.arguments[0] === 'folder' ? [rule(FOLDERS)] : []),
      ...line.flags.map((flag) => rule(flagRule(flag))),
    ]
  })
  const commands = lines.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')))
  return `# fish completion of devflow: devflow completion fish | source
function __devflow_at
    set -l route ''
    for word in (commandline -opc)[2..-1]
        set -l longer (string trim -- "$route $word")
        if contains -- "$longer" ${commands.join(' ')}
            set route "$longer"
        end
    end
    test "$route" = "$argv"
end
complete -c devflow -f
${rules.join('\n')}
`
}

function flagRule({ name, about, value, choices }: Flag): string {
  const long = `-l ${name.slice(2)} -d ${quoted(about)}`
  if (value === undefined) return long
  if (choices.length > 0) return `${long} -x -a ${quoted(choices.join(' '))}`
  if (value === 'file') return `${long} -r -F`
  return value === 'folder' ? `${long} ${FOLDERS}` : `${long} -x`
}

const FOLDERS = `-x -a '(__fish_complete_directories)'`

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
