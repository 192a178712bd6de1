import { DevflowError } from '@devflow/contracts/devflow-error'
import type { Words } from '../messages/words.ts'

/** What is written to, and how that ends before the command does. */
export interface Output {
  /** Settles when writing makes no sense any more: nobody reads it. Rejects when it failed for another reason. */
  readonly over: Promise<'unread'>
  /** Resolves when all that was written has been taken, however slowly, or can be taken by nobody. */
  flushed(): Promise<void>
  /** Nobody reads it, as far as is known from elsewhere. */
  leave(): void
  /** From now on it is no matter whether anybody reads it. */
  outlive(): void
}

export function outputOn(stream: NodeJS.WriteStream, { failures }: Words): Output {
  const over = Promise.withResolvers<'unread'>()
  let isNoMatter = false
  const fail = (error: NodeJS.ErrnoException) => {
    if (isNoMatter) return
    if (error.code === 'EPIPE') over.resolve('unread')
    else over.reject(new DevflowError('UNAVAILABLE', 'output_failed', failures.outputFailed(error.message)))
  }
  stream.on('error', fail)
  return {
    over: over.promise,
    flushed: () =>
      new Promise((resolve) => {
        stream.write('', (error) => {
          if (error) fail(error)
          resolve()
        })
      }),
    leave: () => over.resolve('unread'),
    outlive: () => {
      isNoMatter = true
    },
  }
}
