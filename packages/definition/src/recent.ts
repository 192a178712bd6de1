/** A cache that keeps the `size` values used last, and makes the missing ones. */
export class Recent<Key, Value> {
  readonly #values = new Map<Key, Value>()
  readonly #size: number

  constructor(size: number) {
    this.#size = size
  }

  get(key: Key, make: () => Value): Value {
    const value = this.#values.has(key) ? (this.#values.get(key) as Value) : make()
    this.#values.delete(key)
    this.#values.set(key, value)
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#size) break
      this.#values.delete(oldest)
    }
    return value
  }
}
