import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** Colours by what they mean. Without a terminal, and under NO_COLOR, texts stay as they are. */
export type Palette = ReturnType<typeof paletteOf>

export function paletteOf(stream: NodeJS.WriteStream) {
  const paint = (format: Format) => (text: string) =>
    styleText(format, text, { stream, validateStream: true })
  return {
    plain: (text: string) => text,
    strong: paint('bold'),
    faint: paint('dim'),
    good: paint('green'),
    bad: paint('red'),
    notice: paint('yellow'),
    accent: paint('cyan'),
  }
}
export type Paint = keyof Palette
