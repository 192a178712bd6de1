import { html } from 'hono/html'

export type Html = ReturnType<typeof html>

/** Text with `code` in backticks. */
export const inline = (text: string): Html[] =>
  text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))

/** Paragraphs, parted by empty lines. */
export const paragraphs = (text: string): Html[] =>
  text.split('\n\n').map((part) => html`<p>${inline(part)}</p>`)
