import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outlineOf, shown } from './outline.fixture.ts'
import { code, fenced, inline, linesOf, quoted, row } from './safe-text.ts'

/** Texts made of what means something in Markdown, HTML or a terminal. */
const hostile = fc
  .array(
    fc.constantFrom(
      ...[
        '`',
        '```',
        '~~~',
        '*',
        '**',
        '_',
        '__',
        '#',
        '## H',
        '> ',
        '- ',
        '+ ',
        '1. ',
        '2) ',
        '---',
        '===',
        ':-',
      ],
      ...[
        '|',
        '\\',
        '\\|',
        '[',
        ']',
        '](u)',
        '![',
        '(http://x)',
        '<',
        '<b>',
        '</details>',
        '<!--',
        '-->',
        '&lt;',
        '&#35;',
        '&amp;',
      ],
      ...[
        '\n',
        '\r\n',
        '\n\n',
        '\t',
        '    ',
        ' ',
        '\u2028',
        '\u0085',
        '\u001b[31m',
        '\u0000',
        '\u202e',
        'a',
        'é',
        '中',
        '😀',
        '7',
        '.',
      ],
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''))

const line = (text: string) => linesOf(text).join(' ').replaceAll(/\s+/g, ' ').trim()

describe('whatever a text holds', () => {
  test('in a line, a heading, an item and a cell a reader sees the text and nothing else comes of it', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const safe = inline(text)
        fc.pre(safe !== '')
        for (const [markdown, blocks] of [
          [safe, ['paragraph_open']],
          [`## ${safe} `, ['heading_open']],
          [`- ${safe}`, ['bullet_list_open']],
          [`> ${safe}`, ['blockquote_open']],
          [[row(['a', 'b']), row(['-', '-']), row([safe, 'c'])].join('\n'), ['table_open']],
        ] as const) {
          const outline = outlineOf(markdown)
          expect(outline.blocks).toEqual(blocks)
          expect(outline.foreign).toEqual([])
          if (blocks[0] !== 'table_open') expect(shown(markdown)).toBe(line(text))
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('between bold and other text it stays within its line', () => {
    fc.assert(
      fc.property(hostile, hostile, (name, text) => {
        const markdown = `- **${inline(name) || 'n'}**: ${inline(text)}\n- next`
        expect(outlineOf(markdown)).toEqual({ headings: [], blocks: ['bullet_list_open'], foreign: [] })
        expect(shown(markdown)).toBe(`${line(name) || 'n'}: ${line(text)}`.trimEnd())
      }),
    )
  })

  test('as code it stays code', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const markdown = `See ${code(text)}: so`
        expect(outlineOf(markdown)).toEqual({ headings: [], blocks: ['paragraph_open'], foreign: [] })
        const seen = linesOf(text).join(' ')
        expect(shown(markdown)).toBe(`See ${seen.trim() === '' ? '(empty)' : seen}: so`)
      }),
    )
  })

  test('in a fence, also in an item, it cannot get out', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const top = `${fenced(text, 'text').join('\n')}\n\n# After`
        expect(outlineOf(top)).toMatchObject({
          headings: ['h1 After'],
          blocks: ['fence', 'heading_open'],
        })
        const inItem = `1. **a**:\n${fenced(text)
          .map((each) => `   ${each}`)
          .join('\n')}\n2. next\n\n# After`
        expect(outlineOf(inItem)).toEqual({
          headings: ['h1 After'],
          blocks: ['ordered_list_open', 'heading_open'],
          foreign: [],
        })
      }),
    )
  })

  test('quoted it stays a quotation, line by line', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const markdown = `${quoted(text).join('\n')}\n\n# After`
        expect(outlineOf(markdown)).toMatchObject({
          headings: ['h1 After'],
          blocks: ['blockquote_open', 'heading_open'],
          foreign: [],
        })
      }),
    )
  })

  test('no control of a terminal and no turned direction comes through', () => {
    const text = 'a\u001b[2Jb\u0007\u202ec\u0000\u009bd\r\ne'
    for (const made of [inline(text), code(text), ...fenced(text), ...quoted(text)]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
      expect(made).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    }
    expect(inline(text)).toBe('a�\\[2Jb��c��d e')
  })
})

test('plain words stay as they are: names with underscores, prices, quotes, sums', () => {
  for (const text of [
    'read_file in src/a_b.ts',
    'It’s $0.05 & 3 > 2',
    'a-b, c+d = e',
    '“So”, (she) said.',
    'R1: do',
  ])
    expect(inline(text)).toBe(text)
})
