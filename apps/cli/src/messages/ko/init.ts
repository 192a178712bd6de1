import type { Words } from '../words.ts'

export const init: Words['init'] = {
  help: {
    about: '키 없이 실행되는 내 템플릿을 시작용으로 써 줍니다',
    folder: '쓸 폴더; 없으면 만듭니다',
    namespace: 'id의 앞부분이 될 네임스페이스',
  },
  written: (folder) => `${folder} 폴더에 썼습니다:`,
  about: {
    'README.md': '파일 설명, 시작하는 법, 먼저 바꿀 것',
    'note.yaml': '무엇을 만드는가',
    'release-note.yaml': '실행이 무엇을 하는가',
    'writer.yaml': '누가 만드는가',
  },
  next: { start: '시작', run: '실행' },
  notNamespace: '영문 소문자, 숫자, -만 쓸 수 있습니다',
  takenNamespace: '기본 제공 항목의 네임스페이스입니다',
  inTheWay: (folder, names) => `${folder}에 이미 있습니다: ${names}; 아무것도 쓰지 않았습니다`,
  notWritten: (folder, why) => `${folder}에 쓸 수 없어 아무것도 쓰지 않았습니다: ${why}`,
}
