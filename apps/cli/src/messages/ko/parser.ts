import { type Phrases, rephrase } from './rephrase.ts'

/** As Commander says it. */
const PHRASES: Phrases = [
  [/^unknown command '(.*?)'/, "'$1'은(는) 없는 명령입니다"],
  [/^unknown option '(.*?)'/, "'$1'은(는) 없는 옵션입니다"],
  [/^missing required argument '(.*?)'/, "필요한 인자 '$1'이(가) 없습니다"],
  [/^option '(.*?)' argument missing/, "'$1' 옵션에 값이 필요합니다"],
  [/^required option '(.*?)' not specified/, "'$1' 옵션이 필요합니다"],
  [/^option '(.*?)' argument '(.*?)' is invalid\./, "'$1' 옵션에 '$2'을(를) 쓸 수 없습니다."],
  [
    /^command-argument value '(.*?)' is invalid for argument '(.*?)'\./,
    "'$2' 인자에 '$1'을(를) 쓸 수 없습니다.",
  ],
  [
    /^too many arguments.*?\. Expected (\d+) arguments? but got (\d+)/,
    '인자가 너무 많습니다. $1개여야 하는데 $2개입니다',
  ],
  [/Allowed choices are (.*)\./, '쓸 수 있는 값: $1'],
  [/\(Did you mean one of (.*)\?\)/, '(혹시 이 중 하나인가요? $1)'],
  [/\(Did you mean (.*)\?\)/, '(혹시 $1인가요?)'],
]

export const parserSays = (message: string): string => rephrase(message, PHRASES)
