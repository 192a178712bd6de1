import { type Definition, DevflowError, type ErrorDetail } from '@devflow/contracts'
import { checkValue } from './json-schema.ts'

/** What is wrong with a run's input, at most 50 errors; no input at all counts as `{}`. */
export function checkInput(definition: Definition, input: unknown): ErrorDetail[] {
  return checkValue(definition.input, input === undefined ? {} : input)
}

/**
 * What is wrong with an artifact's value, at most 50 errors with paths into it (`findings[0].severity`).
 * Throws DevflowError NOT_FOUND `artifact_not_found` for a name the definition does not have.
 */
export function checkArtifact(definition: Definition, artifactName: string, value: unknown): ErrorDetail[] {
  if (!Object.hasOwn(definition.artifacts, artifactName)) {
    throw new DevflowError(
      'NOT_FOUND',
      'artifact_not_found',
      `the definition has no artifact ${artifactName}`,
    )
  }
  return checkValue(definition.artifacts[artifactName]?.jsonSchema ?? {}, value)
}
