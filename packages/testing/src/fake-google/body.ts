export interface GooglePart {
  text?: string
  thought?: boolean
  thoughtSignature?: string
  functionCall?: { id?: string; name: string; args?: unknown }
  functionResponse?: { id?: string; name: string; response?: unknown }
}

interface GoogleContent {
  role?: string
  parts?: GooglePart[]
}

export interface GoogleBody {
  contents: GoogleContent[]
  systemInstruction?: GoogleContent
  tools?: { functionDeclarations?: { name: string; parametersJsonSchema?: unknown }[] }[]
  generationConfig?: {
    maxOutputTokens?: number
    temperature?: number
    thinkingConfig?: { includeThoughts?: boolean }
  }
  [field: string]: unknown
}

/** What stands in for a signature that another model cannot have given. */
const UNSIGNED = 'skip_thought_signature_validator'

/** What the API would refuse a request for; undefined where it takes it. `sealed`: signatures given out so far. */
export function faultOf(body: GoogleBody, model: string, sealed: ReadonlySet<string>): string | undefined {
  if (!Array.isArray(body.contents) || body.contents.length === 0)
    return '* GenerateContentRequest.contents: contents is not specified'
  for (const [index, { role, parts = [] }] of body.contents.entries()) {
    if (parts.length === 0)
      return `* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.`
    if (role !== 'user' && role !== 'model') return 'Please use a valid role: user, model.'
    const signature = parts.find((part) => forged(part, sealed))
    if (signature) return 'Corrupted thought signature.'
    const calls = parts.filter((part) => part.functionCall)
    if (/^gemini-[3-9]/.test(model) && calls[0] && calls[0].thoughtSignature === undefined)
      return `Function call is missing a thought_signature in functionCall parts: ${calls[0].functionCall?.name}`
    const answers = body.contents[index + 1]?.parts?.filter((part) => part.functionResponse) ?? []
    if (calls.length !== answers.length && calls.length > 0)
      return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.'
  }
  return undefined
}

const forged = ({ thoughtSignature }: GooglePart, sealed: ReadonlySet<string>): boolean =>
  thoughtSignature !== undefined && thoughtSignature !== UNSIGNED && !sealed.has(thoughtSignature)
