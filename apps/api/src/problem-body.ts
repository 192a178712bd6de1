import { Problem } from '@devflow/contracts'
import { extendZodWithOpenApi, z } from '@hono/zod-openapi'

extendZodWithOpenApi(z)

/** The body of every refusal, named in the OpenAPI document. */
export const ProblemBody = z.object(Problem.shape).openapi('Problem')
