/** An error that came inside an answer that had begun with 200. */
export class InBandError extends Error {
  override readonly name = 'InBandError'
  /** The provider's own words, as they came. */
  readonly error: unknown
  constructor(error: unknown) {
    super('the provider reported an error in its answer')
    this.error = error
  }
}
