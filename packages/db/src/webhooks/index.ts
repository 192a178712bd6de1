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
  listWebhooks,
  putWebhook,
  readWebhook,
  renewSecret,
  switchOffWebhook,
} from './webhooks.ts'
