import {
  ConnectionError,
  type DevflowClient,
  DevflowError,
  type ErrorDetail,
  TimeoutError,
} from '@devflow/client'

/** How the API is: `missing` names what it lacks. */
export type ApiState =
  | { is: 'ready' }
  | { is: 'not_ready'; missing: ErrorDetail[]; message: string }
  | { is: 'stranger'; status: number }
  | { is: 'away' }

const PATIENCE_MS = 10_000

export async function stateOfApi(client: DevflowClient): Promise<ApiState> {
  try {
    await client.health.ready({ timeoutMs: PATIENCE_MS })
    return { is: 'ready' }
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof TimeoutError) return { is: 'away' }
    if (!(error instanceof DevflowError)) throw error
    if (error.code === 'not_ready')
      return { is: 'not_ready', missing: error.errors ?? [], message: error.message }
    return { is: 'stranger', status: error.status ?? 0 }
  }
}

/** What the API says of a part: that it lacks it, or that it has it; nothing where it cannot be asked. */
export function apiHas(api: ApiState, part: string): boolean | undefined {
  if (api.is === 'ready') return true
  return api.is === 'not_ready' ? !api.missing.some(({ path }) => path === part) : undefined
}
