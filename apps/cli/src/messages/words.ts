import type { en } from './en/index.ts'

/** All that is said to people, in one language. English is the measure: a text that another lacks is a type error. */
export type Words = typeof en
