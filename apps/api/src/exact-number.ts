/** TypeScript's library does not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object }

/** A decimal that `JSON.stringify` writes digit by digit: sums of money need more digits than a double has. */
export const exactNumber = (decimal: string): object => rawJSON(decimal)
