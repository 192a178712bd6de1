/**
 * The arguments of a past call as a JSON object, whatever the model wrote: providers parse them and refuse the
 * conversation when they are anything else.
 */
export function objectText(written: string): string {
  try {
    const value: unknown = JSON.parse(written)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? written : '{}'
  } catch {
    return '{}'
  }
}
