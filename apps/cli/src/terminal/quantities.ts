/** Micro-dollars as dollars: at least cents, and as many digits as a small amount needs. */
export function dollars(microUsd: number): string {
  const [whole = '0', fraction = ''] = (microUsd / 1e6).toFixed(6).split('.')
  const digits = microUsd < 1_000_000 ? fraction.slice(0, 4).replace(/00$/, '') : fraction.slice(0, 2)
  const isTiny = microUsd > 0 && Number(`${whole}.${digits}`) === 0
  return isTiny ? '<$0.0001' : `$${Number(whole).toLocaleString('en-US')}.${digits}`
}

export const count = (value: number): string => value.toLocaleString('en-US')

/** A span as people say it: `0.4s`, `12s`, `3m 20s`, `2h 5m`, `3d 4h`. */
export function span(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`
}

/** How long ago, in one unit: `4s`, `12m`, `5h`, `3d`. */
export function age(since: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`
}

const EXACT = 1_000_000

/** Sums amounts of micro-dollars, which have up to six decimals, exactly: never by adding doubles. */
export class Sum {
  #parts = 0n

  add(microUsd: number): void {
    this.#parts += BigInt(Math.round(microUsd * EXACT))
  }

  get microUsd(): number {
    return Number(this.#parts) / EXACT
  }
}
