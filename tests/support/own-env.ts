/** What programs of ours need of this process's environment, and nothing else that a developer may have set. */
export const ownEnv = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  // Keys that the developer has kept are none of ours, nor is their keyring ours to write to.
  XDG_CONFIG_HOME: '/dev/null',
  DEVFLOW_KEYRING: 'off',
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
  // Tests that run beside each other want the processors all the time.
  DEVFLOW_NICE: '0',
})
