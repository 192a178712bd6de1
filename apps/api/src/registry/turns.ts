/**
 * Does one piece of work after another. Changes of the registry wait for each other in Postgres, over all processes;
 * those of one process wait here, where waiting holds no connection that other requests need.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Does `work` when all that came before is done, whatever became of it. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
