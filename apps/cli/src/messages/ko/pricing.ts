import type { Words } from '../words.ts'

export const pricing: Words['pricing'] = {
  columns: {
    provider: '제공자',
    model: '모델',
    input: '입력',
    output: '출력',
    cached: '캐시',
    source: '출처',
    age: '경과',
  },
  sources: { configuration: '설정', list: '목록', seed: '내장' },
  note: '토큰 백만 개당 달러입니다.',
  none: '알려진 가격이 없습니다.',
  list: (provider, models, age) => `${provider} 가격 목록: 모델 ${models}개, ${age} 전에 읽음.`,
  leftOut: (count, why) => `제외: ${count}개 (${why}).`,
  failed: (provider, why) =>
    `${provider} 가격 목록을 읽지 못했습니다: ${why}. 이전에 알려진 가격을 계속 씁니다.`,
  awaited: (provider) => `${provider} 가격 목록을 요청했습니다. 워커가 실행되는 대로 읽습니다.`,
}
