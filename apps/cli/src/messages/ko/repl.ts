import type { Words } from '../words.ts'

export const repl: Words['repl'] = {
  greeting: (version) =>
    `Devflow ${version}. 명령을 입력하세요. help는 모든 명령을 보여 주고, exit는 끝냅니다.`,
  unclosed: '따옴표가 닫히지 않았습니다',
  ownTerminal: '`up`은 끝낼 때까지 계속 실행되므로 별도의 터미널이 필요합니다',
}
