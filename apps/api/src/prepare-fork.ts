import { type Definition, DevflowError, type ForkRun } from '@devflow/contracts'
import { readSubmission, type Submitted } from '@devflow/db'
import { checkInput, nameIn, planOf, rebind, treeOf } from '@devflow/definition'
import type pg from 'pg'
import { runNotFound } from './find-run.ts'
import { invalidInput, type PrepareDeps, type Prepared } from './prepare-run.ts'

/**
 * What a fork of a run will keep for life: what that run was submitted with, but for what the body changes. Throws
 * NOT_FOUND `run_not_found`, INVALID `unknown_phase`, `invalid_input`, `binding_failed`, CONFLICT `entries_changed`.
 */
export async function prepareFork(
  deps: PrepareDeps & { pool: pg.Pool; tenant: string },
  source: string,
  body: ForkRun,
  actor: string,
): Promise<Prepared> {
  const { pool, tenant, hasKey, tracing } = deps
  const found = await readSubmission(pool, tenant, source)
  if (!found) throw runNotFound(source)
  const { submitted: before, definition: pinned } = found
  checkPhase(pinned, body.fromPhase)
  const asked = body.bindings ?? {}
  const { definition, hash, bindings } =
    Object.keys(asked).length > 0
      ? rebind((await deps.registry.current()).registry, pinned, { bindings: asked, hasKey })
      : { definition: pinned, hash: before.definitionHash, bindings: before.bindings ?? {} }
  if (body.input !== undefined) {
    const errors = checkInput(definition, body.input)
    if (errors.length > 0) throw invalidInput(errors)
  }
  const traceparent = tracing?.traceparent()
  const submitted: Submitted = {
    format: 1,
    template: definition.template,
    title: definition.title,
    definitionHash: hash,
    input: body.input === undefined ? before.input : body.input,
    labels: before.labels,
    budget: before.budget,
    ...(before.workspace ? { workspace: before.workspace } : {}),
    actor,
    bindings,
    ...(traceparent ? { traceparent } : {}),
    phases: planOf(definition).steps.map(({ id, kind }) => ({ id, kind })),
  }
  return { definition, submitted }
}

/** What is inside a phase cannot begin without it. */
function checkPhase({ phases }: Definition, fromPhase: string): void {
  const { roots, nodes } = treeOf(phases)
  if (roots.some(({ name }) => name === fromPhase)) return
  let outer = nodes.get(nameIn(fromPhase))
  while (outer?.parent) outer = outer.parent
  const message = outer
    ? `is inside ${outer.name}: fork from ${outer.name}`
    : `is no phase of this run; its phases are ${roots.map(({ name }) => name).join(', ')}`
  throw new DevflowError('INVALID', 'unknown_phase', `fromPhase ${message}.`, {
    errors: [{ path: 'fromPhase', message }],
  })
}
