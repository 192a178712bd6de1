/**
 * What a command does, loaded when it is run. Every start declares every command, for help and completion, and runs one: what
 * that one needs is imported by its action, under `actions/`, and by nothing here.
 */
export const onDemand =
  <Args extends unknown[]>(load: () => Promise<(...args: Args) => void | Promise<void>>) =>
  async (...args: Args): Promise<void> => {
    const act = await load()
    await act(...args)
  }
