import type { Words } from '../words.ts'

export const usage: Words['usage'] = {
  titles: {
    model: '모델',
    persona: '페르소나',
    day: '날짜 (UTC)',
    template: '템플릿',
    run: '실행',
    label: '라벨',
  },
  columns: { calls: '호출', in: '입력', cached: '캐시', out: '출력', cost: '비용', open: '미정산' },
  none: '모델을 부르지 않았습니다.',
  unlabelled: (label) => `(${label} 없음)`,
  deleted: (run) => `${run} (삭제됨)`,
  atMost: (dollars) => `≤${dollars}`,
  total: (calls, dollars) => `호출 ${calls}번, ${dollars}`,
  totalWithOpen: (calls, dollars, open) => `호출 ${calls}번, ${dollars}; 미정산 최대 ${open}`,
}
