/** What an engine tells of a container's use of the machine as numbers that can be drawn. Pure; every field may be missing or null. */

export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Percent of one processor, as `docker stats` has it. */
  readonly cpu: number;
  /** Bytes in use without the page cache that can be given back, and what is allowed. */
  readonly memory: number;
  readonly memoryLimit: number;
  /** Bytes since the container started. */
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
  readonly pids: number;
}

type Json = Readonly<Record<string, unknown>>;

/** `before` is the reading before, for engines that send none along with the first. */
export function sampleOf(stats: Json, before: Json | undefined): Sample {
  const memory = object(stats['memory_stats']);
  const details = object(memory['stats']);
  const cache = number(details['inactive_file'] ?? details['total_inactive_file']);
  const usage = number(memory['usage']);
  const read = stats['read'];
  const networks = Object.values(object(stats['networks'])).map(object);
  const at = typeof read === 'string' ? Date.parse(read) : Number.NaN;
  return {
    at: Number.isNaN(at) || at <= 0 ? Date.now() : at,
    cpu: cpuOf(object(stats['cpu_stats']), previousCpu(stats, before)),
    memory: cache < usage ? usage - cache : usage,
    memoryLimit: number(memory['limit']),
    received: sum(networks, 'rx_bytes'),
    sent: sum(networks, 'tx_bytes'),
    ...blockOf(object(stats['blkio_stats'])),
    pids: number(object(stats['pids_stats'])['current']),
  };
}

function previousCpu(stats: Json, before: Json | undefined): Json {
  const own = object(stats['precpu_stats']);
  if (number(object(own['cpu_usage'])['total_usage']) > 0 || before === undefined) return own;
  return object(before['cpu_stats']);
}

/** moby's calculateCPUPercentUnix. */
function cpuOf(now: Json, before: Json): number {
  const used =
    number(object(now['cpu_usage'])['total_usage']) -
    number(object(before['cpu_usage'])['total_usage']);
  const passed = number(now['system_cpu_usage']) - number(before['system_cpu_usage']);
  // Without a reading before, the whole life of the machine would count as the last second.
  if (used <= 0 || passed <= 0 || number(before['system_cpu_usage']) === 0) return 0;
  const perCpu = object(now['cpu_usage'])['percpu_usage'];
  const online = number(now['online_cpus']) || (Array.isArray(perCpu) ? perCpu.length : 1) || 1;
  return (used / passed) * online * 100;
}

function blockOf(stats: Json): { readonly read: number; readonly written: number } {
  const entries = stats['io_service_bytes_recursive'];
  let read = 0;
  let written = 0;
  for (const entry of Array.isArray(entries) ? entries.map(object) : []) {
    const op = String(entry['op']).toLowerCase();
    if (op === 'read') read += number(entry['value']);
    if (op === 'write') written += number(entry['value']);
  }
  return { read, written };
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function sum(items: readonly Json[], key: string): number {
  return items.reduce((total, item) => total + number(item[key]), 0);
}
