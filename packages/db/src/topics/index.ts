export { type Published, publishEvent } from './publish-event.ts'
export { readTopicEvents, type TopicQuery } from './read-topic-events.ts'
export { eventsForWait, lookedUpTo } from './wait-events.ts'
