import { SYSCALLS } from './syscalls.ts'

const LOAD = 0x20 // BPF_LD | BPF_W | BPF_ABS
const IF_EQUAL = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
const IF_AT_LEAST = 0x35 // BPF_JMP | BPF_JGE | BPF_K
const IF_ANY_BIT = 0x45 // BPF_JMP | BPF_JSET | BPF_K
const RETURN = 0x06 // BPF_RET | BPF_K

const ALLOW = 0x7fff0000
const REFUSE = 0x00050000 // SECCOMP_RET_ERRNO
const EPERM = 1
const ENOSYS = 38
const EAFNOSUPPORT = 97

/** Offsets in struct seccomp_data; of an argument the lower half, on the little-endian processors we know. */
const NUMBER = 0
const ARCHITECTURE = 4
const argument = (index: number): number => 16 + 8 * index

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NEW_NAMESPACES = 0x7e020000
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: others, as AF_VSOCK and AF_ALG, know no network namespace. */
const FAMILIES = [1, 2, 10, 16]

type Instruction = readonly [code: number, k: number, ifTrue?: number, ifFalse?: number]

const refuse = (errno: number): Instruction => [RETURN, REFUSE | errno]

/**
 * The filter of system calls as bubblewrap reads it (an array of struct sock_filter), or undefined for a processor whose
 * numbers are not known here. It refuses what a build or a test has no use for and what has let processes out of
 * namespaces before: new user namespaces, mounts, ptrace, keyrings, bpf, io_uring, typing into terminals.
 */
export function seccompFilter(arch: NodeJS.Architecture = process.arch): Buffer | undefined {
  const calls = SYSCALLS[arch]
  if (!calls) return undefined
  const program: Instruction[] = [
    [LOAD, ARCHITECTURE],
    [IF_EQUAL, calls.auditArch, 1, 0],
    refuse(ENOSYS),
    [LOAD, NUMBER],
    ...(calls.otherAbi === undefined ? [] : when(IF_AT_LEAST, calls.otherAbi, [refuse(ENOSYS)])),
    ...calls.refused.flatMap((number) => when(IF_EQUAL, number, [refuse(EPERM)])),
    // Its flags lie in memory, where no filter sees them; the C library falls back to clone.
    ...when(IF_EQUAL, calls.clone3, [refuse(ENOSYS)]),
    ...when(IF_EQUAL, calls.clone, [
      [LOAD, argument(0)],
      ...when(IF_ANY_BIT, NEW_NAMESPACES, [refuse(EPERM)]),
      [RETURN, ALLOW],
    ]),
    ...when(IF_EQUAL, calls.ioctl, [
      [LOAD, argument(1)],
      ...[TIOCSTI, TIOCLINUX].flatMap((request) => when(IF_EQUAL, request, [refuse(EPERM)])),
      [RETURN, ALLOW],
    ]),
    ...when(IF_EQUAL, calls.socket, [
      [LOAD, argument(0)],
      ...FAMILIES.flatMap((family) => when(IF_EQUAL, family, [[RETURN, ALLOW]])),
      refuse(EAFNOSUPPORT),
    ]),
    [RETURN, ALLOW],
  ]
  return encode(program)
}

/** Goes through `then` where the test holds, past it otherwise. */
function when(test: number, k: number, then: Instruction[]): Instruction[] {
  return [[test, k, 0, then.length], ...then]
}

function encode(program: Instruction[]): Buffer {
  const buffer = Buffer.alloc(program.length * 8)
  for (const [index, [code, k, ifTrue = 0, ifFalse = 0]] of program.entries()) {
    buffer.writeUInt16LE(code, index * 8)
    buffer.writeUInt8(ifTrue, index * 8 + 2)
    buffer.writeUInt8(ifFalse, index * 8 + 3)
    buffer.writeUInt32LE(k, index * 8 + 4)
  }
  return buffer
}
