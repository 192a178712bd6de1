/** What the starter's files say where nothing else is told. */
export const USUAL_FOLDER = 'entries'
export const USUAL_NAMESPACE = 'my'
