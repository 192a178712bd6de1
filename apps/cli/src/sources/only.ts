/** The fields of an item that `apply` takes, as far as it has them. */
export function only<Item extends object>(item: Item, ...fields: (keyof Item)[]): object {
  return Object.fromEntries(
    fields.filter((field) => item[field] !== undefined).map((field) => [field, item[field]]),
  )
}
