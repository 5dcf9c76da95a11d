/** Capability names and how a request's additions and removals change Docker's default set. Pure. */

import { EngineError } from '../../lib/errors.ts';

/** capabilities(7), in the kernel's order. */
const ALL_CAPABILITIES: readonly string[] = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

/** What a container has when nothing else is asked for. */
export const DEFAULT_CAPABILITIES: readonly string[] = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL ' +
  'AUDIT_WRITE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

export interface CapabilityChoice {
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/** The resulting names, with `CAP_`, in the kernel's order. Throws `invalid` naming an unknown one. */
export function resolveCapabilities(choice: CapabilityChoice): string[] {
  const add = choice.add.map(normalize);
  const drop = choice.drop.map(normalize);
  if (choice.privileged) return [...ALL_CAPABILITIES];
  const set = new Set(
    add.includes('ALL') ? ALL_CAPABILITIES : drop.includes('ALL') ? [] : DEFAULT_CAPABILITIES,
  );
  for (const name of drop) set.delete(name);
  for (const name of add) if (name !== 'ALL') set.add(name);
  return ALL_CAPABILITIES.filter((name) => set.has(name));
}

function normalize(name: string): string {
  const upper = name.toUpperCase();
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL';
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!ALL_CAPABILITIES.includes(full))
    throw new EngineError('invalid', `unknown capability: "${name}"`);
  return full;
}
