import { type Palette, paletteOf } from './palette.ts'

/** Where a command speaks. */
export interface Screen {
  /** A person looks at it, and it can be drawn on. */
  readonly isTerminal: boolean
  /** A person can be asked. */
  readonly canAsk: boolean
  /** Columns; none missing where nobody looks: lines in a pipe are whole. */
  readonly width: number
  readonly rows: number
  readonly palette: Palette
  /** What this program is called here, for commands to go on with. */
  readonly program: string
  /** Writes lines, each ended. */
  print(...lines: string[]): void
  write(text: string): void
}

export function screenOf(
  stdin: NodeJS.ReadStream,
  stdout: NodeJS.WriteStream,
  { canDraw, program }: { canDraw: boolean; program: string },
): Screen {
  const isTerminal = stdout.isTTY === true && canDraw
  const write = (text: string) => void stdout.write(text)
  return {
    isTerminal,
    canAsk: isTerminal && stdin.isTTY === true,
    get width() {
      return isTerminal ? stdout.columns || 80 : Number.POSITIVE_INFINITY
    },
    get rows() {
      return stdout.rows || 24
    },
    palette: paletteOf(stdout),
    program,
    write,
    // One write, so that a reader who leaves after the first line ends nothing in between.
    print: (...lines) => write(lines.map((line) => `${line}\n`).join('')),
  }
}
