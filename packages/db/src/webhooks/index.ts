export {
  claimDeliveries,
  type DueDelivery,
  endDelivery,
  postponeDelivery,
  pruneDeliveries,
} from './deliver.ts'
export { listDeliveries, messageId, replayDeliveries } from './deliveries.ts'
export {
  deleteWebhook,
  keptSecret,
  listWebhooks,
  putWebhook,
  readWebhook,
  renewSecret,
  switchOffWebhook,
} from './webhooks.ts'
