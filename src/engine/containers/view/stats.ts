/** A container's figures in the shape of `docker stats`, from what its shim reads in the control group. */

import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

/** The shim's answer (docs/native.md, "stats"). */
export interface ShimStats {
  readonly cpu?: {
    readonly usageNs: number;
    readonly userNs: number;
    readonly systemNs: number;
    readonly perCpuNs?: readonly number[];
    readonly throttling?: {
      readonly periods?: number;
      readonly throttledPeriods?: number;
      readonly throttledNs?: number;
    };
  };
  readonly memory?: {
    readonly usage: number;
    readonly limit: number | null;
    readonly stats?: Readonly<Record<string, number>>;
    readonly failcnt?: number;
  };
  readonly pids?: { readonly current: number; readonly limit: number | null };
  readonly blkio?: readonly {
    readonly op: string;
    readonly major: number;
    readonly minor: number;
    readonly value: number;
  }[];
}

export interface Sample {
  readonly read: string;
  readonly cpu: Record<string, unknown>;
}

const EMPTY_CPU = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

/** One sample of the whole machine and the container. */
export function takeSample(stats: ShimStats, now: Date): Sample {
  const { cpu } = stats;
  return {
    read: now.toISOString(),
    cpu: {
      cpu_usage: {
        total_usage: cpu?.usageNs ?? 0,
        ...(cpu?.perCpuNs === undefined ? {} : { percpu_usage: cpu.perCpuNs }),
        usage_in_kernelmode: cpu?.systemNs ?? 0,
        usage_in_usermode: cpu?.userNs ?? 0,
      },
      system_cpu_usage: systemCpuNs(),
      online_cpus: availableParallelism(),
      throttling_data: {
        periods: cpu?.throttling?.periods ?? 0,
        throttled_periods: cpu?.throttling?.throttledPeriods ?? 0,
        throttled_time: cpu?.throttling?.throttledNs ?? 0,
      },
    },
  };
}

/** Docker's object; `before` is the sample before this one. */
export function statsBody(
  container: { id: string; name: string },
  stats: ShimStats,
  samples: { now: Sample; before: Sample | undefined },
): Record<string, unknown> {
  const { memory, pids } = stats;
  return {
    name: `/${container.name}`,
    id: container.id,
    read: samples.now.read,
    preread: samples.before?.read ?? '0001-01-01T00:00:00Z',
    num_procs: 0,
    storage_stats: {},
    pids_stats: {
      current: pids?.current ?? 0,
      ...(pids?.limit == null ? {} : { limit: pids.limit }),
    },
    blkio_stats: blkio(stats),
    cpu_stats: samples.now.cpu,
    precpu_stats: samples.before?.cpu ?? EMPTY_CPU,
    memory_stats: {
      usage: memory?.usage ?? 0,
      limit: Math.min(memory?.limit ?? Number.MAX_SAFE_INTEGER, totalmem()),
      stats: memory?.stats ?? {},
      ...(memory?.failcnt === undefined ? {} : { failcnt: memory.failcnt }),
    },
  };
}

/** What Docker answers for a container that does not run. */
export function emptyStats(container: { id: string; name: string }): Record<string, unknown> {
  return {
    name: `/${container.name}`,
    id: container.id,
    read: '0001-01-01T00:00:00Z',
    preread: '0001-01-01T00:00:00Z',
    num_procs: 0,
    storage_stats: {},
    pids_stats: {},
    blkio_stats: blkio({}),
    cpu_stats: EMPTY_CPU,
    precpu_stats: EMPTY_CPU,
    memory_stats: {},
  };
}

function blkio(stats: ShimStats): Record<string, unknown> {
  const bytes = (stats.blkio ?? []).map(({ op, major, minor, value }) => ({
    major,
    minor,
    op: op.toLowerCase(),
    value,
  }));
  return {
    io_service_bytes_recursive: bytes.length === 0 ? null : bytes,
    io_serviced_recursive: null,
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}

/** The first line of /proc/stat, user to steal, in nanoseconds (proc_stat(5): 1/100 s). */
function systemCpuNs(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const fields = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return fields.reduce((sum, ticks) => sum + ticks, 0) * 10_000_000;
}
