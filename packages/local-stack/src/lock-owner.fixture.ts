// Holds the lock of the folder it is given until it is killed.
import { lockData } from './lock.ts'

lockData(process.argv[2] ?? '')
process.stdout.write('locked')
setInterval(() => {}, 1_000)
