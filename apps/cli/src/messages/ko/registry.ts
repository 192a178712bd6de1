import type { Words } from '../words.ts'

export const registry: Words['registry'] = {
  columns: {
    id: 'ID',
    kind: '종류',
    title: '제목',
    source: '출처',
    version: '버전',
    at: '시각',
    by: '누가',
    changes: '변경',
  },
  sources: { catalog: '기본 제공', folder: '폴더', registry: 'HTTP로 등록' },
  hash: '해시',
  none: '항목이 없습니다.',
  noHistory: '아직 변경된 것이 없습니다.',
  moreVersions: (cursor) => `계속 보려면 --cursor ${cursor}`,
  restoredFrom: (version) => `${version} 버전으로 복원`,
  now: (version) => `레지스트리가 ${version} 버전이 되었습니다.`,
  restored: (version, from) => `레지스트리가 ${version} 버전이 되었습니다. 내용은 ${from} 버전과 같습니다.`,
  unchanged: (count) => `항목 ${count}개는 이미 같습니다`,
  nothing: (version) => `바꿀 것이 없습니다. 레지스트리는 ${version} 버전입니다.`,
  dryRun: '바꾸지 않았습니다. 실행하면 이렇게 바뀝니다.',
}
