import type { Words } from '../words.ts'
import { type Phrases, rephrase } from './rephrase.ts'

/** How a part has ended. */
const ENDINGS: Phrases = [
  [/^killed by (\w+)$/, '$1 신호로 종료됨'],
  [/^ended with exit code (\w+)$/, '종료 코드 $1로 끝남'],
  [/^answered no ping for (\d+) ms and was killed$/, '$1 ms 동안 응답이 없어 강제로 종료함'],
  [/^was not ready after (\d+) ms/, '$1 ms 안에 준비되지 않음'],
]

export const up: Words['up'] = {
  ready: (seconds) => `Devflow가 준비되었습니다 (${seconds}초).`,
  again: '모든 부분이 다시 실행 중입니다.',
  rows: { api: 'API', reference: '참조 문서', temporal: 'Temporal', data: '데이터' },
  logs: (folder) => `${folder} (로그는 logs/)`,
  stop: 'Ctrl-C로 모두 안전하게 멈춥니다. 끝나지 않은 실행은 다음에 이어집니다.',
  sample: (run) => `예제 실행이 진행 중입니다: ${run}`,
  sampleNext: { follow: '따라가기', gate: '게이트', approve: '승인', report: '보고서' },
  sampleFailed: (why) => `예제 실행을 제출하지 못했습니다: ${why}`,
  waits: (titles) => `실행이 결정을 기다립니다: ${titles}`,
  waitsOn: '다시 시작해도 계속 기다립니다. `--approve`를 주면 --once가 대신 승인합니다.',
  approvedComment: '--approve로 승인함',
  worker: '워커',
  workerOf: (number) => `워커 ${number}`,
  down: (part, how, inMs) =>
    `${part}: ${rephrase(how, ENDINGS)}. ${inMs > 0 ? `${inMs} ms 뒤 ` : ''}다시 시작합니다.`,
  stopping: '멈추는 중: 진행 중인 작업을 안전하게 마칩니다. 한 번 더 누르면 바로 멈춥니다.',
  stoppingEarly: '멈추는 중.',
  atOnce: '바로 멈춥니다.',
  stopped: '멈췄습니다.',
  diskLow: (folder, megabytes) =>
    `${folder}의 디스크가 거의 찼습니다 (${megabytes} MB 남음). 가득 차면 실행은 기다리며, 잃는 것은 없습니다.`,
  diskEnough: '디스크에 다시 여유가 생겼습니다.',
  diskUnseen: (folder, why) => `${folder}의 디스크를 확인할 수 없습니다: ${why}`,
  storeSetAside: (file) =>
    `다른 버전이 쓴 Temporal 저장소입니다. ${file}(으)로 보관하고 새로 시작합니다. 끝나지 않은 실행은 로그에서 이어집니다.`,
}
export const migrated: Words['migrated'] = '데이터베이스가 이 빌드의 스키마입니다.'

export const rebuilt: Words['rebuilt'] = {
  runs: (count) => `실행 ${count}개`,
  same: '차이 없음',
  differences: (count) => `차이 ${count}개`,
  mended: '고쳤습니다',
}
