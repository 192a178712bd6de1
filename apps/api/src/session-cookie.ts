/** Holds the token of a browser. */
export const SESSION_COOKIE = 'devflow_session'

/** Where a browser gets it, for which nobody need be called yet. */
export const SESSION_PATH = '/v1/session'
