import { join } from 'node:path'
import { type Check, failed, ok } from '../check.ts'

export const checkApi: Check = ({ words: { api: words }, url, api, dataDir }) => {
  switch (api.is) {
    case 'ready':
      return ok(words.ready(url))
    case 'not_ready':
      return failed(words.notReady(url, api.message), words.notReadyFix(join(dataDir, 'logs')))
    case 'stranger':
      return failed(words.stranger(url, api.status), words.strangerFix)
    case 'away':
      return failed(words.away(url), words.awayFix)
  }
}
