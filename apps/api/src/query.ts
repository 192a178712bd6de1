import { z } from 'zod'

// What is read from a query is text; `exact` is what the OpenAPI document says of it.

/** A whole number in a query. */
export const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, { error: 'expected a whole number' })
    .transform(Number)
    .refine((value) => value >= least && value <= most, {
      error: `expected a number from ${least} to ${most}`,
    })
    .meta({ exact: { type: 'integer', minimum: least, maximum: most } })

export const paging = (usual: number, most: number) => ({
  cursor: z.string().max(2_000).optional().describe('The `nextCursor` of the page before; opaque.'),
  limit: whole(1, most).default(usual).describe('How many items at most.'),
})

/** `true` or `false`. */
export const flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({ exact: { type: 'boolean' } })

/** One or several of these words, separated by commas. */
export const wordsOf = <Word extends string>(words: readonly Word[]) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => words.find((word) => word === part)))
    .refine((found) => !found.includes(undefined), { error: `expected some of ${words.join(', ')}` })
    .transform((found) => found.filter((word) => word !== undefined))
    .meta({ exact: { type: 'array', items: { type: 'string', enum: [...words] }, minItems: 1 } })

export const time = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2030-01-31T12:00:00Z' })
  .transform((text) => new Date(text))
  .meta({ exact: { type: 'string', format: 'date-time' } })

const DAY_MS = 86_400_000

/** A UTC day, which counts whole, or a time. `end`: the first moment that is not meant any more. */
export const momentOf = (edge: 'start' | 'end') =>
  z
    .union([z.iso.date(), z.iso.datetime({ offset: true })], {
      error: 'expected a day such as 2030-01-31 or a time such as 2030-01-31T12:00:00Z',
    })
    .transform((text) => {
      const isDay = text.length === '2030-01-31'.length
      return new Date(Date.parse(text) + (isDay && edge === 'end' ? DAY_MS : 0))
    })
    .meta({
      exact: { type: 'string', anyOf: [{ format: 'date' }, { format: 'date-time' }] },
    })
