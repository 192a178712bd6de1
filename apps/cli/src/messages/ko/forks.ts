import type { Words } from '../words.ts'

export const forks: Words['forks'] = {
  help: {
    fork: '다른 실행의 한 단계부터 이어 가는 새 실행을 만듭니다; 그 앞의 결과는 그대로 이어받습니다',
    from: '시작할 단계',
    input: '원래 입력 위에 덮어쓸 입력 필드; 여러 번 쓸 수 있습니다',
    inputFile: '새 입력(JSON 또는 YAML), `-`는 표준 입력; --input 필드가 그 위에 옵니다',
    detach: '따라가지 않고 만들기만 합니다',
    diff: '두 실행의 차이를 보여 줍니다',
    other: '다른 실행, 같은 방식으로',
  },
  forked: (run, source, reused) =>
    `${source}에서 갈라져 나온 실행: ${run}; 이어받은 단계: ${reused.length === 0 ? '없음' : reused.join(', ')}`,
  takenOver: '이어받음',
  forkedFrom: '원래 실행',
  same: '시각과 비용 말고는 차이가 없습니다.',
  sections: {
    input: '입력',
    output: '출력',
    definition: '정의',
    artifacts: '산출물',
    error: '오류',
  },
  nothing: '없음',
  changes: { same: '같음', added: 'b에만 있음', removed: 'a에만 있음', changed: '다름' },
  more: (count) => `… ${count}개 더`,
  omitted: { too_large: '너무 커서 비교하지 않음', binary: '텍스트가 아님' },
  notThere: '없음',
}
