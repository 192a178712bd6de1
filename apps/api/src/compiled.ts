import { DevflowError, type Provider } from '@devflow/contracts'
import { type Compiled, compile, type Registry } from '@devflow/definition'

export interface CompileDeps {
  registry: Registry
  hasKey: (provider: Provider) => boolean
}

interface Asked {
  template: string
  bindings?: Record<string, string>
}

const MOST_KEPT = 200

/** By registry, since entries of one never change; the latest asked for are last. */
const kept = new WeakMap<Registry, Map<string, Compiled>>()

/**
 * A template compiled, once for the same question: it takes milliseconds, and submissions ask the same again and
 * again. Throws what `compile` throws, and INVALID `missing_key` where a key is all that is missing.
 */
export function compiled(deps: CompileDeps, { template, bindings = {} }: Asked): Compiled {
  const known = kept.get(deps.registry) ?? new Map<string, Compiled>()
  kept.set(deps.registry, known)
  const question = JSON.stringify([template, Object.entries(bindings).sort()])
  const answer = known.get(question) ?? compileFor(deps, { template, bindings })
  known.delete(question)
  known.set(question, answer)
  const [oldest] = known.keys()
  if (known.size > MOST_KEPT && oldest !== undefined) known.delete(oldest)
  return answer
}

function compileFor({ registry, hasKey }: CompileDeps, asked: Asked): Compiled {
  try {
    return compile(registry, { ...asked, hasKey })
  } catch (error) {
    if (error instanceof DevflowError && error.code === 'binding_failed' && canBind(registry, asked)) {
      // With keys it would bind: so a key is what is missing, and the messages name its variable.
      throw new DevflowError('INVALID', 'missing_key', error.message, { errors: error.errors, cause: error })
    }
    throw error
  }
}

function canBind(registry: Registry, asked: Asked): boolean {
  try {
    compile(registry, asked)
    return true
  } catch {
    // It fails for reasons of its own, which the first error tells.
    return false
  }
}
