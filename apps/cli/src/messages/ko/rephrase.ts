/** How something that others say in English is said here; what is in brackets there stands as $1 and so on. */
export type Phrases = readonly (readonly [said: RegExp, here: string])[]

export const rephrase = (text: string, phrases: Phrases): string =>
  phrases.reduce((told, [said, here]) => told.replace(said, here), text)
