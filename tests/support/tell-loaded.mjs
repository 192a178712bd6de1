// Preloaded by a test: says on stderr, when the process ends, which packages it has loaded modules of.
import { registerHooks } from 'node:module'

const loaded = new Map()

registerHooks({
  load(url, context, next) {
    const file =
      /^file:.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ??
      /\/(apps\/cli|packages\/[^/]+)\//.exec(url)
    if (file) loaded.set(file[1], (loaded.get(file[1]) ?? 0) + 1)
    return next(url, context)
  },
})

process.on('exit', () => process.stderr.write(`\nloaded ${JSON.stringify(Object.fromEntries(loaded))}\n`))
