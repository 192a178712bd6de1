import { type Attempt, FOREVER, js, sh, type Targets } from './attempt.ts'

const DENIED =
  /Operation not permitted|Permission denied|permission denied|not permitted|must be superuser|EPERM|EACCES/

/** What perl answers to a system call by its number. */
const call = (name: string, number: number, args: string, says = DENIED): Attempt =>
  sh(name, `perl -e '$r = syscall(${[number, args].filter(Boolean).join(', ')}); print "$r $!\\n"'`, says)

/** By the numbers of x86-64, and harmless where they are not refused. */
const SYSTEM_CALLS: Attempt[] = [
  call('ptrace', 101, '0, 0, 0, 0'),
  call('memory of others', 310, '1, 0, 0, 0, 0, 0'),
  call('clone with a user namespace', 56, '0x10000011, 0, 0, 0, 0'),
  call('setns', 308, '0, 0'),
  call('bpf', 321, '0, 0, 0'),
  call('keys of the kernel', 250, '0, -3, 0'),
  call('io_uring, which no filter sees', 425, '8, 0'),
  call('a module', 313, '0, 0, 0'),
  call('to open by handle', 304, '-100, 0, 0'),
  call('a new kernel', 246, '0, 0, 0, 0'),
]

/** Processes, namespaces and devices of the host. */
export const processAttempts = ({ hostPid }: Targets): Attempt[] => [
  sh('a signal to a process of the host', `kill -9 ${hostPid} 2>&1`, /No such process/),
  sh(
    'the environment of the first process',
    'cat /proc/1/environ 2>&1 | tr "\\0" "\\n"',
    /exit code 0|Permission denied/,
  ),
  sh(
    'the host by its first process',
    'ls /proc/1/root/work /proc/1/root/home 2>&1',
    /No such file|Permission denied/,
  ),
  sh('the host by its own root', 'cat /proc/self/root/etc/hostname 2>&1', /No such file/),
  sh(
    'processes of the host',
    `test -e /proc/${hostPid} && echo seen || echo unseen; ls /proc | grep -c "^[0-9]"`,
    /unseen\n[1-9]\n|unseen/,
  ),
  sh('a mount', 'mkdir m; mount -t tmpfs none m 2>&1', DENIED),
  sh('a remount', 'mount -o remount,rw /workspace/.git 2>&1', DENIED),
  sh('a change of root', '/usr/sbin/chroot / true 2>&1', DENIED),
  sh('new namespaces', 'unshare --user --map-root-user --mount id 2>&1', DENIED),
  sh('another’s namespace', 'nsenter --target 1 --mount id 2>&1', DENIED),
  sh('to become root', '(su -c id || sudo id) 2>&1; id -u; perl -e \'$> = 0; print "uid $> $!\\n"\'', DENIED),
  sh(
    'a set-uid program',
    'cp /usr/bin/id i && chmod u+s i && ./i -u; grep NoNewPrivs /proc/self/status',
    /NoNewPrivs:\s+1/,
  ),
  sh('capabilities', 'grep Cap /proc/self/status', /CapEff:\s+0+\nCapBnd:\s+0+/),
  ...(process.arch === 'x64' ? SYSTEM_CALLS : []),
  sh('a device', '(mknod disk b 254 0 && head -c 9 disk) 2>&1', DENIED),
  sh(
    'the disk',
    '(dd if=/dev/vda of=/dev/null count=1; dd if=/dev/sda of=/dev/null count=1; cat /dev/mem /dev/kmsg) 2>&1',
    /No such file/,
  ),
  sh(
    'settings of the kernel',
    'for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname; do [ -w $f ] || echo shut; done; [ -e /proc/sysrq-trigger ] || echo none',
    /shut\nshut\nnone/,
  ),
  sh('a core dump', 'ulimit -c; ulimit -c unlimited 2>&1', /standard output\n0/),
  sh(
    'to type into a terminal',
    `cat /dev/tty 2>&1; perl -e '$c = "x"; syscall(16, 0, 0x5412, $c); print "$!\\n"'`,
    /No such device[\s\S]*Operation not permitted/,
  ),
  sh(
    'to leave the session',
    `setsid sh -c "sleep ${FOREVER}" & setsid -f sleep ${FOREVER}; echo left`,
    /left/,
  ),
  sh('cgroups', 'ls /sys 2>&1', /No such file/),
]

/** What network namespaces hold, and what they do not. */
export const networkAttempts = ({ ports, abstractSocket, socketFile }: Targets): Attempt[] => [
  ...Object.entries(ports).map(([name, port]) =>
    js(
      `to connect to ${name} on loopback`,
      connect(`{ port: ${port}, host: '127.0.0.1' }`),
      /ECONNREFUSED|ENETUNREACH/,
    ),
  ),
  js(
    'loopback by IPv6',
    connect(`{ port: ${ports.canary}, host: '::1' }`),
    /ECONNREFUSED|ENETUNREACH|EADDRNOTAVAIL/,
  ),
  js(
    'the mapped address',
    connect(`{ port: ${ports.canary}, host: '::ffff:127.0.0.1' }`),
    /ECONNREFUSED|ENETUNREACH/,
  ),
  js('any address', connect(`{ port: ${ports.canary}, host: '0.0.0.0' }`), /ECONNREFUSED|ENETUNREACH/),
  js('the world', connect("{ port: 443, host: '192.0.2.1' }"), /ENETUNREACH/),
  js(
    'names',
    "require('dns').lookup('example.com', (e) => console.log(e?.code ?? 'FOUND'))",
    /ENOTFOUND|EAI_AGAIN/,
  ),
  js(
    'a datagram',
    `const s = require('dgram').createSocket('udp4'); s.send('x', ${ports.canary}, '192.0.2.1', (e) => { console.log(e?.code ?? 'SENT'); s.close() })`,
    /ENETUNREACH|EPERM/,
  ),
  js('a socket of the host in a file', connect(`{ path: '${socketFile}' }`), /ENOENT/),
  js('an abstract socket of the host', connect(`{ path: '\\0${abstractSocket}' }`), /ECONNREFUSED|ENOENT/),
  sh(
    'a raw socket',
    `perl -e 'use Socket; socket(S, AF_INET, SOCK_RAW, 1) or print "$!\\n"'`,
    /not permitted/,
  ),
  sh('packets', `perl -e 'socket(S, 17, 3, 0) or print "$!\\n"'`, /not supported|not permitted/),
  sh('the machine below this one', `perl -e 'socket(S, 40, 1, 0) or print "$!\\n"'`, /not supported/),
  sh('ciphers of the kernel', `perl -e 'socket(S, 38, 5, 0) or print "$!\\n"'`, /not supported/),
  sh('interfaces', 'cat /proc/net/dev | tail -n +3', /standard output\n +lo:.*\n$/),
]

const connect = (to: string): string =>
  `const s = require('net').connect(${to}); s.setTimeout(2000, () => { console.log('SILENT'); process.exit() }); s.on('connect', () => { console.log('CONNECTED'); process.exit() }); s.on('error', (e) => console.log(e.code ?? e.errors?.[0]?.code))`

/** What would bring the machine down, or outlive its time. */
export const greedyAttempts = (): Attempt[] => [
  sh('a fork bomb', 'i=0; while [ $i -lt 600 ]; do sleep 3 & i=$((i+1)); done; echo all forked', /fork/i),
  js(
    'memory, in one process',
    'const a = []; for (let i = 0; i < 120; i += 1) a.push(Buffer.alloc(8e6, 1)); setTimeout(() => {}, 3000)',
    /killed after .* memory/,
  ),
  sh(
    'memory, in many',
    'for i in 1 2 3 4 5 6 7 8; do perl -e \'$x = "x" x 60000000; sleep 60\' & done; wait',
    /killed after .* memory/,
  ),
  sh('a large file', 'truncate -s 3G big 2>&1', /exit code 153|File too large/),
  sh(
    'many large files',
    'for i in 1 2 3 4 5 6 7 8 9; do head -c 9000000 /dev/zero > big$i; sleep 0.2; done; echo all written',
    /killed after .* disk/,
  ),
  sh(
    'to fill /tmp',
    'rm -f big*; head -c 900000000 /dev/zero > /tmp/big; echo $?',
    /No space left|standard output\n1/,
  ),
  sh('a flood of output', 'rm -f big*; yes flood', /killed after .* output/),
  sh('a long sleep', `trap "" TERM INT HUP; sleep ${FOREVER}`, /killed after .* too long/),
  sh('a daemon', `(setsid nohup sleep ${FOREVER} >/dev/null 2>&1 &); echo started`, /started/),
  sh('the keys of the worker', 'env; cat /proc/self/environ /proc/*/environ 2>/dev/null', /PATH=/),
]
