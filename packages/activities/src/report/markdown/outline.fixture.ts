import MarkdownIt from 'markdown-it'

const parser = new MarkdownIt({ html: true })

export interface Outline {
  headings: string[]
  /** Kinds of blocks from the top, without what stands in them. */
  blocks: string[]
  /** What no report has: HTML, links, images, rules, struck text. */
  foreign: string[]
}

const FOREIGN = ['html_block', 'html_inline', 'link_open', 'image', 'hr', 's_open', 'code_block']

/** What a Markdown parser sees in a text, HTML allowed. */
export function outlineOf(markdown: string): Outline {
  const tokens = parser.parse(markdown, {})
  const all = tokens.flatMap((token) => [token, ...(token.children ?? [])])
  return {
    headings: tokens.flatMap((token, index) =>
      token.type === 'heading_open' ? [`${token.tag} ${textOf(tokens[index + 1]?.children ?? [])}`] : [],
    ),
    blocks: tokens.filter(({ level, nesting }) => level === 0 && nesting >= 0).map(({ type }) => type),
    foreign: all.flatMap(({ type, content }) => (FOREIGN.includes(type) ? [`${type} ${content}`] : [])),
  }
}

interface Inline {
  type: string
  content: string
}

/** What a reader sees of a paragraph's text. */
export function textOf(children: readonly Inline[]): string {
  return children
    .map(({ type, content }) =>
      ['text', 'code_inline', 'text_special'].includes(type) ? content : type === 'softbreak' ? '\n' : '',
    )
    .join('')
}

/** What a reader sees of the first paragraph or cell in a text. */
export function shown(markdown: string): string {
  return textOf(parser.parse(markdown, {}).find(({ type }) => type === 'inline')?.children ?? [])
}
