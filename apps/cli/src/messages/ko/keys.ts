import type { Words } from '../words.ts'

export const keys: Words['keys'] = {
  help: {
    login: '모델 제공자의 키를 devflow up이 쓰도록 보관합니다',
    logout: '보관한 모델 제공자의 키를 지웁니다',
    keys: '모델 제공자와 그 키의 출처를 보여 줍니다',
    provider: '키가 필요한 모델 제공자',
  },
  which: '어느 제공자의 키인가요?',
  whichNeeded: (providers) => `제공자를 지정하세요: ${providers}`,
  noArgument:
    '키는 인자로 주지 않습니다. 셸에 기록되고 다른 사람에게 보입니다. 물을 때 입력하거나 표준 입력으로 주세요',
  ask: (provider, page) => `${provider}의 키 (${page}). 화면에 보이지 않습니다`,
  needsInput: (provider) =>
    `여기에 입력하면 키가 화면에 보입니다. 표준 입력으로 주세요. 예: pass show key | devflow login ${provider}`,
  empty: (provider) => `표준 입력에 ${provider}의 키가 없습니다`,
  emptyTyped: '입력하거나 붙여 넣으세요',
  noKey: '키가 아닙니다: 공백처럼 키에 쓰이지 않는 문자가 들어 있습니다',
  tooLong: (most) => `키가 아닙니다: ${most}자를 넘습니다`,
  left: '아무것도 보관하지 않았습니다.',
  inKeyring: (provider) => `${provider}의 키를 이 시스템의 키링에 보관했습니다.`,
  inFile: (provider, file, why) =>
    `${provider}의 키를 본인만 읽을 수 있는 ${file}에 보관했습니다. 키링을 쓸 수 없습니다 (${why}).`,
  replaced: '전에 보관한 키를 바꾸었습니다.',
  environmentFirst: (variable) => `여기서는 환경 변수 ${variable}이(가) 있어 그것을 먼저 씁니다.`,
  restart: (program) => `${program} up은 다음 시작부터 이 키를 씁니다. 실행 중이면 다시 시작하세요.`,
  forgotten: (provider) => `${provider}의 키를 지웠습니다.`,
  goesOn: '실행 중인 스택은 다시 시작할 때까지 그 키를 가지고 있습니다.',
  nothingToForget: (provider) => `보관한 ${provider} 키가 없습니다.`,
  stillSet: (variable) => `환경 변수 ${variable}은(는) 그대로 있습니다.`,
  notForgotten: (provider, why) => `${provider}의 키가 든 키링을 쓸 수 없습니다: ${why}`,
  columns: { provider: '제공자', variable: '변수', from: '키의 출처' },
  places: { environment: '환경 변수', keyring: '키링', file: '파일', none: '없음' },
  before: (first, second) => `${first} (${second}보다 먼저)`,
  keyringOff: 'DEVFLOW_KEYRING이 off입니다',
  keyringSlow: (seconds) => `${seconds}초 안에 응답이 없습니다`,
  keyringEnded: (how) => `${how}(으)로 끝났습니다`,
  away: (why) => `키링을 쓸 수 없습니다: ${why}`,
  gone: '키링에 더는 없습니다',
  notUsed: (provider, why) =>
    `보관한 ${provider} 키를 쓰지 못합니다: ${why}. 고친 뒤 devflow up을 다시 시작하거나 devflow login ${provider}을(를) 실행하세요.`,
  unreadable: (file, why) => `${file}을(를) 읽을 수 없습니다: ${why}`,
  notOurs: (file) => `${file}의 내용이 devflow login이 쓰는 형식이 아닙니다`,
  unwritable: (folder, why) => `${folder}에 보관할 수 없습니다: ${why}`,
  noHome: '키를 보관할 홈 폴더가 없습니다: HOME이 비어 있고 XDG_CONFIG_HOME도 폴더가 아닙니다',
}
