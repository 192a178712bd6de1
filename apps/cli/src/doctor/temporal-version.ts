import { connect } from 'node:http2'

const METHOD = '/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo'
/** A gRPC message without content: not compressed, no bytes. */
const EMPTY = Buffer.alloc(5)
const HEADER_BYTES = 5
/** Of the answer: field 1, a text. */
const VERSION_TAG = 0x0a

/**
 * The version of the Temporal server at an address, by its first call of all, without the SDK and its 50 MB of native code.
 * Rejects with words when there is none.
 */
export function temporalVersion(address: string, timeoutMs = 3_000): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const session = connect(`http://${address}`)
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  session.once('error', reject)
  const call = session.request({
    ':method': 'POST',
    ':path': METHOD,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const parts: Buffer[] = []
  call.on('data', (part: Buffer) => parts.push(part))
  call.once('error', reject)
  call.once('end', () => {
    const version = versionIn(Buffer.concat(parts))
    if (version === undefined) reject(new Error('what answers there is no Temporal'))
    else resolve(version)
  })
  call.end(EMPTY)
  return promise.finally(() => {
    clearTimeout(timer)
    session.destroy()
  })
}

function versionIn(answer: Buffer): string | undefined {
  const message = answer.subarray(HEADER_BYTES)
  const length = message[1] ?? 0
  const text = message.subarray(2, 2 + length).toString()
  return message[0] === VERSION_TAG && /^\d+\.\d+/.test(text) ? text : undefined
}
