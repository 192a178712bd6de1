/** Holds the token of a browser. */
export const SESSION_COOKIE = 'devflow_session'

/** Where a browser gets it: who asks there has yet to say who they are. */
export const SESSION_PATH = '/v1/session'
