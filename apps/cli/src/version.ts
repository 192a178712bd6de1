/** The version of this Devflow; a test holds it against package.json. */
export const DEVFLOW_VERSION = '0.1.0'
