export { listPrices, type PriceFilter } from './list-prices.ts'
export {
  type PriceListState,
  type RefreshOutcome,
  type RefreshPace,
  readPriceLists,
  requestPriceRefresh,
  whenPriceListIsDue,
} from './price-lists.ts'
export { type PricedModel, type PriceSought, readPrices } from './read-prices.ts'
export { type SavedPrices, savePrices } from './save-prices.ts'
export { seedPrice } from './seed.ts'
