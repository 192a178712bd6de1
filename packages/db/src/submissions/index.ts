export {
  claimSubmission,
  type DueSubmission,
  failSubmission,
  pruneSubmissions,
  settleSubmission,
} from './settle-submission.ts'
export { deleteTrigger, listTriggers, putTrigger, readTrigger } from './triggers.ts'
