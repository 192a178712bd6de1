/** Whether `Accept` names a media type, and JSON not at all or after it. */
export function prefers(accept: string | undefined, mediaType: string): boolean {
  const named = (accept ?? '').toLowerCase()
  const wanted = named.indexOf(mediaType)
  const json = named.indexOf('application/json')
  return wanted >= 0 && (json < 0 || wanted < json)
}
