import type { DefinedArtifact } from '@devflow/contracts'
import type { ToolSpec } from '../models/model.ts'
import { complete } from '../tools/complete.ts'
import { containedPath, openRegular } from '../tools/contained-path.ts'
import { Denied, Refused } from '../tools/tool.ts'
import { jsonIn } from './json-in.ts'
import type { Session } from './session.ts'
import type { Transcript } from './transcript.ts'

/** What a model proposes as an artifact, or why that cannot be read. */
export type Proposed = { content: unknown } | { unreadable: string }

const LARGEST_FILE = 2 * 1024 * 1024

/** Where an artifact may be written instead of being handed over, if this session can write files. */
export const fileOf = ({ agent, definition, tools, root }: Session): string | undefined =>
  root === undefined || !tools.some(({ name }) => name === 'write_file')
    ? undefined
    : agent.produces === undefined
      ? undefined
      : definition.artifacts[agent.produces]?.path

/** How `complete` is offered where an artifact of this form is made. */
export function completeSpec({ kind }: Pick<DefinedArtifact, 'kind'>, file: string | undefined): ToolSpec {
  const { spec } = complete
  const content =
    kind === undefined
      ? { type: 'object', description: 'The result', additionalProperties: true }
      : {
          type: 'string',
          description: `The whole result, as ${kind === 'markdown' ? 'Markdown' : 'plain text'}`,
        }
  if (file === undefined) return { ...spec, parameters: { ...spec.parameters, properties: { content } } }
  return {
    ...spec,
    description: `Finishes the work. Call it once, alone, when all is done: without content when the result is in the file ${file}, else with the whole result in content.`,
    parameters: { type: 'object', properties: { content } },
  }
}

/** What a plain answer, or a `complete` with these words, proposes. */
export function proposedText(text: string, { kind }: Pick<DefinedArtifact, 'kind'>): Proposed {
  if (kind === undefined) return jsonIn(text)
  const fenced = /^\s*```(?:markdown|md|text|txt)?[ \t]*\n([\s\S]*?)\n```\s*$/.exec(text)?.[1]
  return { content: fenced ?? text }
}

/** What the arguments of a `complete` propose; undefined where they hold no content: then it is in the file. */
export function proposedContent(
  rawArguments: string,
  form: Pick<DefinedArtifact, 'kind'>,
): Proposed | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(rawArguments.trim() === '' ? '{}' : rawArguments)
  } catch (error) {
    return {
      unreadable: `The arguments of complete are no JSON: ${error instanceof Error ? error.message : ''}`,
    }
  }
  if (parsed === null || typeof parsed !== 'object') return { unreadable: 'complete takes {"content": …}.' }
  if (!('content' in parsed) || parsed.content === null || parsed.content === undefined) return undefined
  return typeof parsed.content === 'string' ? proposedText(parsed.content, form) : { content: parsed.content }
}

/** What the file holds that an artifact was to be written to. */
export async function proposedFile(
  root: string,
  file: string,
  form: Pick<DefinedArtifact, 'kind'>,
): Promise<Proposed> {
  try {
    const path = await containedPath(root, file)
    await using handle = await openRegular(path)
    const { size } = await handle.stat()
    if (size > LARGEST_FILE)
      return { unreadable: `The file ${file} has ${size} bytes; at most ${LARGEST_FILE} are taken.` }
    const text = await handle.readFile('utf8')
    if (form.kind !== undefined) return { content: text }
    const read = jsonIn(text)
    return 'content' in read ? read : { unreadable: `The file ${file} holds no JSON.` }
  } catch (error) {
    if (error instanceof Refused || error instanceof Denied)
      return {
        unreadable: `The artifact is to be in the file ${file}, and it cannot be read: ${error.message}.`,
      }
    throw error
  }
}

/** Whether this attempt has written the file: what lay there before is nobody's answer. */
export function hasWritten({ messages, wroteFile }: Transcript, file: string): boolean {
  if (wroteFile) return true
  const written = new Set(
    messages.flatMap((message) =>
      message.role === 'assistant'
        ? (message.toolCalls ?? [])
            .filter(
              ({ name, arguments: args }) =>
                ['write_file', 'edit_file'].includes(name) && pathIn(args) === file,
            )
            .map(({ id }) => id)
        : [],
    ),
  )
  return messages.some(
    (message) =>
      message.role === 'tool' &&
      written.has(message.toolCallId) &&
      /^(?:created|replaced|edited) /.test(message.content),
  )
}

function pathIn(rawArguments: string): string | undefined {
  try {
    const { path } = JSON.parse(rawArguments) as { path?: unknown }
    return typeof path === 'string' ? path.replace(/^(?:\.\/)+/, '') : undefined
  } catch {
    return undefined // It was not run either.
  }
}
