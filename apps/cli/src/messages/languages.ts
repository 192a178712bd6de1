import { en } from './en/index.ts'
import { ko } from './ko/index.ts'
import type { Words } from './words.ts'

export const LANGUAGES = ['en', 'ko'] as const
export type Language = (typeof LANGUAGES)[number]

export const wordsIn = (language: Language): Words => (language === 'ko' ? ko : en)
