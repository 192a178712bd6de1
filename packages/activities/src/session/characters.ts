import { growingSum } from '../growing-sum.ts'

/** How many characters messages or tools take in a request, about: as JSON, with what stands between them. */
export const charactersIn = growingSum((part: object) => JSON.stringify(part).length + 1)
