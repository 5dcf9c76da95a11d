/** What went over a container's interfaces, from the kernel's counters in its network namespace. */

import { readFile } from 'node:fs/promises';
import type { Container } from '../container.ts';

/** proc_pid_net(5), "dev": eight columns received, eight sent. */
const COLUMNS = {
  rx_bytes: 0,
  rx_packets: 1,
  rx_errors: 2,
  rx_dropped: 3,
  tx_bytes: 8,
  tx_packets: 9,
  tx_errors: 10,
  tx_dropped: 11,
} as const;

/** Docker's `networks`; none at all on the host's network or another container's. */
export async function interfaceStats(
  container: Container,
): Promise<{ networks?: Record<string, Record<string, number>> }> {
  const mode = container.definition.hostConfig.NetworkMode ?? '';
  const { shim } = container;
  if (shim === undefined || mode === 'host' || mode.startsWith('container:')) return {};
  const text = await readFile(`/proc/${String(shim.pid)}/net/dev`, 'utf8').catch(() => '');
  return { networks: parseInterfaces(text) };
}

/** Every interface but loopback. */
export function parseInterfaces(text: string): Record<string, Record<string, number>> {
  const found: Record<string, Record<string, number>> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*([^:\s]+):(.*)$/.exec(line);
    const name = match?.[1];
    if (name === undefined || name === 'lo') continue;
    const numbers = (match?.[2] ?? '').trim().split(/\s+/).map(Number);
    found[name] = Object.fromEntries(
      Object.entries(COLUMNS).map(([key, column]) => [key, numbers[column] ?? 0]),
    );
  }
  return found;
}
