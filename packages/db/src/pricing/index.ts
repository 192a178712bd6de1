export { type PricedModel, type PriceSought, readPrices } from './read-prices.ts'
export { type SavedPrices, savePrices } from './save-prices.ts'
export { seedPrice } from './seed.ts'
