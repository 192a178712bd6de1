import type { Running } from './running.ts'

interface Artifact {
  content: unknown
  loose: boolean
  maker: Running
}

/** The artifacts of a run: the latest content of each, by the name the run keeps it by, and which phase made it. */
export class Kept extends Map<string, Artifact> {
  /** What was made by phases of which nobody can tell whether they came so far. */
  loosen(): void {
    for (const artifact of this.values()) if (artifact.maker.loose) artifact.loose = true
  }

  /** It is known by now what these have made. */
  fasten(maker: Running): void {
    for (const artifact of this.values()) if (artifact.maker === maker) artifact.loose = false
  }

  /** Takes over what phases have made, of which there are copies. */
  takeOver(other: Kept, copies: ReadonlyMap<Running, Running>): void {
    for (const [name, artifact] of other) {
      const maker = copies.get(artifact.maker)
      if (maker) this.set(name, { ...artifact, maker })
    }
  }
}
