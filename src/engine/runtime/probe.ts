/** What the machine allows, as the helper's `probe` tells it, and the warnings that follow for a container's limits. It decides nothing: it only reports. */

import type { ResourceLimits } from '../../lib/api/containers.ts';
import type { Mode, Native } from './types.ts';

export interface Finding {
  readonly id: string;
  readonly level: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly remedy: string | null;
}

export interface Probe {
  readonly kernel: string;
  readonly arch: string;
  readonly uid: number;
  readonly mode: Mode | 'none';
  readonly findings: readonly Finding[];
  readonly userns: boolean;
  readonly subuid: readonly { readonly start: number; readonly count: number }[];
  readonly newuidmap: string | null;
  readonly newgidmap: string | null;
  readonly overlay: boolean;
  readonly seccomp: boolean;
  readonly cgroup: {
    readonly version: 1 | 2;
    /** Those this process may really use. */
    readonly controllers: readonly string[];
    readonly root: string | null;
    readonly delegated: boolean;
  };
  readonly tun: boolean;
  /** Whether the engine's network namespace can have what its networks need; absent in older helpers. */
  readonly network?: boolean;
  readonly apparmorRestrictsUserns: boolean;
}

/** Asks the helper; throws its error. */
export function probe(native: Native): Promise<Probe> {
  return native.call<Probe>(['probe'], {});
}

/** Docker's sentences about limits that this machine cannot enforce, and the limits that were asked for in vain. */
export function limitWarnings(limits: ResourceLimits, controllers: readonly string[]): string[] {
  const has = (name: string) => controllers.includes(name);
  const warnings: string[] = [];
  const lost = (wanted: boolean, controller: string, what: string) => {
    if (wanted && !has(controller)) {
      warnings.push(
        `Your kernel does not support ${what} or the cgroup is not mounted. ${what.startsWith('swap') ? 'Memory limited without swap.' : 'Limitation discarded.'}`,
      );
    }
  };
  lost(positive(limits.Memory), 'memory', 'memory limit capabilities');
  lost(positive(limits.MemoryReservation), 'memory', 'memory soft limit capabilities');
  lost(positive(limits.PidsLimit), 'pids', 'PIDs limit capabilities');
  lost(positive(limits.NanoCpus) || positive(limits.CpuQuota), 'cpu', 'CPU CFS quota');
  lost(positive(limits.CpuPeriod), 'cpu', 'CPU CFS period');
  lost(positive(limits.CpuShares), 'cpu', 'CPU shares');
  lost((limits.CpusetCpus ?? '') !== '' || (limits.CpusetMems ?? '') !== '', 'cpuset', 'cpuset');
  if (!has('blkio') && !has('io')) {
    lost(positive(limits.BlkioWeight), 'io', 'Block I/O weight');
    for (const name of throttles)
      lost((limits[name]?.length ?? 0) > 0, 'io', `Block I/O throttling (${name})`);
  }
  if (limits.OomKillDisable === true && !has('memory')) {
    warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.');
  }
  return warnings;
}

const throttles = [
  'BlkioDeviceReadBps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteIOps',
] as const;

function positive(value: number | null | undefined): boolean {
  return typeof value === 'number' && value > 0;
}
