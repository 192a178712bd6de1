/** Numbers of system calls by processor; a call that one of them lacks is left out there. */
export interface Syscalls {
  /** AUDIT_ARCH_… of linux/audit.h. */
  auditArch: number
  clone: number
  clone3: number
  ioctl: number
  socket: number
  /** First number of a second calling convention with other numbers for the same calls. */
  otherAbi?: number
  /** Refused whatever their arguments. */
  refused: readonly number[]
}

/** From 424 on all processors number alike: mounts, pidfd_getfd, io_uring, and their like. */
const REFUSED_EVERYWHERE = [
  425,
  426,
  427, // io_uring: calls that no filter sees
  428,
  429,
  430,
  431,
  432,
  433,
  442,
  467, // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr, open_tree_attr
  438, // pidfd_getfd
  443, // quotactl_fd
]

/** Numbers of asm/unistd_64.h and asm-generic/unistd.h. */
export const SYSCALLS: Partial<Record<NodeJS.Architecture, Syscalls>> = {
  x64: {
    auditArch: 0xc000003e,
    clone: 56,
    clone3: 435,
    ioctl: 16,
    socket: 41,
    otherAbi: 0x40000000,
    refused: [
      ...REFUSED_EVERYWHERE,
      101,
      310,
      311,
      312, // ptrace, process_vm_readv, process_vm_writev, kcmp
      155,
      161,
      165,
      166,
      272,
      308, // pivot_root, chroot, mount, umount2, unshare, setns
      248,
      249,
      250, // add_key, request_key, keyctl
      298,
      321,
      323,
      300, // perf_event_open, bpf, userfaultfd, fanotify_init
      303,
      304, // name_to_handle_at, open_by_handle_at
      175,
      176,
      313,
      246,
      320, // modules and kexec
      134,
      153,
      156,
      163,
      167,
      168,
      169,
      170,
      171,
      172,
      173,
      179,
      180, // uselib, vhangup, sysctl, acct, swap, reboot, names, ports, quotactl, nfsservctl
      103,
      159,
      164,
      227,
      305, // syslog and the setting of clocks
      237,
      238,
      256,
      279, // memory policies
    ],
  },
  arm64: {
    auditArch: 0xc00000b7,
    clone: 220,
    clone3: 435,
    ioctl: 29,
    socket: 198,
    refused: [
      ...REFUSED_EVERYWHERE,
      117,
      270,
      271,
      272,
      41,
      51,
      40,
      39,
      97,
      268,
      217,
      218,
      219,
      241,
      280,
      282,
      262,
      264,
      265,
      105,
      106,
      273,
      104,
      294,
      58,
      89,
      224,
      225,
      142,
      161,
      162,
      60,
      42,
      116,
      171,
      170,
      112,
      266,
      235,
      237,
      238,
      239,
    ],
  },
}
