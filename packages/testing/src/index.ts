// Law: what tests and template authors need to run without a provider. Imports contracts and client.
import { fileURLToPath } from 'node:url'

export type { AnthropicBlock, AnthropicBody } from './fake-anthropic/body.ts'
export { anthropicError, type FakeAnthropic, startFakeAnthropic } from './fake-anthropic/server.ts'
export type { GoogleBody, GooglePart } from './fake-google/body.ts'
export { type FakeGoogle, googleError, startFakeGoogle } from './fake-google/server.ts'
export type { OllamaBody } from './fake-ollama/body.ts'
export { type FakeOllama, startFakeOllama } from './fake-ollama/server.ts'
export type { ChatCompletionsBody } from './fake-openai/chat-frames.ts'
export type { ResponsesBody } from './fake-openai/responses-body.ts'
export {
  type FakeChatServer,
  type FakeOpenAi,
  openAiError,
  startFakeChatServer,
  startFakeOpenAi,
} from './fake-openai/server.ts'
export { playAgent } from './fake-openrouter/agent.ts'
export type { ErrorName } from './fake-openrouter/errors.ts'
export type { FakeHandler, FakeReply } from './fake-openrouter/handler.ts'
export type { RecordedRequest } from './fake-openrouter/recorder.ts'
export type {
  ChatBody,
  ChatMessage,
  FakeRequest,
  FakeToolCall,
  FakeUsage,
  HttpError,
} from './fake-openrouter/reply.ts'
export type { ScenarioName } from './fake-openrouter/scenarios.ts'
export { type FakeOpenRouter, startFakeOpenRouter } from './fake-openrouter/server.ts'
export type { ProviderReply, ReplyFlaw } from './fake-provider/reply.ts'
export type { FakeProvider, ProviderRequest } from './fake-provider/server.ts'
export { costUsdIn, type Exchange, textOf } from './recording/exchange.ts'
export { type Forwarder, startForwarder } from './recording/forwarder.ts'
export { type Player, startPlayer } from './recording/player.ts'
export {
  OPENROUTER_RECORDINGS,
  readRecording,
  readRecordings,
  writeRecording,
} from './recording/recordings.ts'
export { type Private, scrubbed } from './recording/scrub.ts'

/** Path of the fake as a process of its own: `node <path> [port]` prints `{"port", "baseURL"}` as one JSON line. */
export const FAKE_OPENROUTER_MAIN = fileURLToPath(new URL('./fake-openrouter/main.ts', import.meta.url))
