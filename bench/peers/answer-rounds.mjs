// How a peer speaks with the bench: it says that it is ready, then plays rounds as they are asked for, one at a time, and
// answers how long each took, in ms.
export function answerRounds(play, end) {
  process.on('message', async (round) => {
    if (round === 'end') {
      await end()
      process.exit(0)
    }
    try {
      const started = performance.now()
      await play(round)
      process.send({ ms: performance.now() - started })
    } catch (error) {
      process.send({ problem: String(error?.stack ?? error) })
    }
  })
  // Without its parent a peer has nothing to do.
  process.on('disconnect', () => end().finally(() => process.exit(1)))
  process.send('ready')
}

/** Does `work` `times` times, `atOnce` of them at once. */
export async function inFlight(times, atOnce, work) {
  let left = times
  const one = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}
