/** What engines tell of a container's use of the machine, as numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleOf } from './sample.ts';

const STATS = {
  read: '2026-11-21T05:00:01.5Z',
  cpu_stats: { cpu_usage: { total_usage: 3e8 }, system_cpu_usage: 20e8, online_cpus: 2 },
  precpu_stats: { cpu_usage: { total_usage: 1e8 }, system_cpu_usage: 10e8, online_cpus: 2 },
  memory_stats: { usage: 1000, limit: 4000, stats: { inactive_file: 400 } },
  networks: { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: 'Read', value: 5 },
      { op: 'write', value: 6 },
      { op: 'total', value: 11 },
    ],
  },
  pids_stats: { current: 3 },
};

test('a reading as docker stats has it', () => {
  assert.deepEqual(sampleOf(STATS, undefined), {
    at: Date.parse('2026-11-21T05:00:01.5Z'),
    cpu: 40,
    memory: 600,
    memoryLimit: 4000,
    received: 11,
    sent: 22,
    read: 5,
    written: 6,
    pids: 3,
  });
});

test('a first reading without one before counts no processor time', () => {
  const first = { ...STATS, precpu_stats: { cpu_usage: { total_usage: 0 } } };
  assert.equal(sampleOf(first, undefined).cpu, 0);
  assert.equal(sampleOf(first, { cpu_stats: STATS.precpu_stats }).cpu, 40);
});

test('missing and strange fields are zero', () => {
  for (const strange of [
    {},
    {
      cpu_stats: null,
      memory_stats: 7,
      networks: null,
      blkio_stats: { io_service_bytes_recursive: null },
      read: 'never',
    },
  ]) {
    const { at, ...numbers } = sampleOf(strange, undefined);
    assert.ok(at > 0);
    assert.ok(Object.values(numbers).every((value) => value === 0));
  }
});
