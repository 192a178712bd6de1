export {
  allSchedules,
  mirrorAnew,
  mirroredSchedules,
  mirrorOnce,
  noteCaughtUp,
  type ScheduleRef,
  schedulesBehind,
  schedulesToMirror,
} from './mirror.ts'
export {
  addOccasions,
  type DueOccasion,
  judgeOccasion,
  noteRun,
  releaseOccasions,
  scheduleAt,
} from './occasions.ts'
export {
  deleteSchedule,
  listSchedules,
  pauseSchedule,
  putSchedule,
  type ReadSchedule,
  readSchedule,
  type StoredSchedule,
  storedSchedule,
} from './schedules.ts'
