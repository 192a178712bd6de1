import type { Words } from '../words.ts'

export const budget: Words['budget'] = {
  columns: {
    scope: '범위',
    persona: '페르소나',
    limit: '한도',
    today: '오늘 (UTC)',
    policy: '한도에 이르면',
  },
  policies: { block: '차단', warn_continue: '경고', prompt: '질문' },
  unpriced: '가격을 모르는 모델 허용',
  each: '(각각)',
  tokens: (count) => `토큰 ${count}개`,
  none: '예산이 없습니다. 실행마다 따로 둘 수 있습니다: devflow run --budget',
}
