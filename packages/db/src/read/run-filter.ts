/** Which runs a list or a stream is about. */
export interface RunFilter {
  tenant: string
  /** An entry id: without a version all versions, without a namespace the default one. */
  template?: string
  /** Labels a run must have, with these values. */
  labels?: Record<string, string>
}

/**
 * The filter as SQL conditions on `devflow.runs r`; `values` grows by their parameters. Templates are stored without
 * the default namespace; a changed copy of `name@1` is `name@1+<hash>` and belongs to it.
 */
export function conditionsOf({ tenant, template, labels }: RunFilter, values: unknown[]): string[] {
  const parameter = (value: unknown) => `$${values.push(value)}`
  const conditions = [`r.tenant = ${parameter(tenant)}`]
  if (template !== undefined) {
    const id = template.replace(/^devflow:/, '')
    const copies = `${id}${id.includes('@') ? '+' : '@'}`
    conditions.push(`(r.template = ${parameter(id)} or starts_with(r.template, ${parameter(copies)}))`)
  }
  if (labels !== undefined && Object.keys(labels).length > 0) {
    conditions.push(`r.labels @> ${parameter(JSON.stringify(labels))}::jsonb`)
  }
  return conditions
}
