export const pricing = {
  columns: {
    provider: 'PROVIDER',
    model: 'MODEL',
    input: 'INPUT',
    output: 'OUTPUT',
    cached: 'CACHED',
    source: 'SOURCE',
    age: 'AGE',
  },
  sources: { configuration: 'configuration', list: 'list', seed: 'built in' },
  note: 'Dollars per million tokens.',
  none: 'No price is known.',
  list: (provider: string, models: number, age: string) =>
    `Price list of ${provider}: ${models} models, ${age} old.`,
  leftOut: (count: number, why: string) => `Left out: ${count} (${why}).`,
  failed: (provider: string, why: string) =>
    `The price list of ${provider} could not be read: ${why}. Prices known before hold.`,
  awaited: (provider: string) =>
    `The price list of ${provider} is asked for; a worker reads it as soon as one runs.`,
}
