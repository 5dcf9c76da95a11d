/** The network's data path against pasta and slirp4netns, all as the same ordinary user, and what a bridge costs at a container's start, against dockerd. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensurePackages } from '../../scripts/lib/debian.ts';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { startDockerd } from '../support/dockerd.ts';
import { command, startTestEngine } from '../support/engine.ts';
import { makeUser } from '../support/users.ts';
import { freePort } from '../support/network.ts';
import { compileTraffic } from '../support/traffic.ts';
import { startCarriers, type Carrier } from './carriers.ts';
import { median, medians, type Row, type Timed } from './measure.ts';

const RUNS = 15;
/** Every figure of the "network" suite. Needs root, to become a user and give the peers their tun device. */
export async function bench(): Promise<Row[]> {
  await ensurePackages(['passt', 'slirp4netns', 'busybox-static']);
  const dir = mkdtempSync('/tmp/pinnace-bench-');
  chmodSync(dir, 0o755);
  const user = makeUser({ subids: 'none' });
  try {
    return [...(await trafficRows(dir, user)), ...(await startRows(dir))];
  } finally {
    user.remove();
    execFileSync('rm', ['-rf', '--one-file-system', dir]);
  }
}

/** What is measured: the words for the traffic maker, and what its figure is. */
interface Measurement {
  readonly what: string;
  readonly unit: Row['unit'];
  readonly words: readonly string[];
  readonly scale: number;
  readonly limit?: number;
  readonly least?: number;
}

const MEASUREMENTS: readonly Measurement[] = [
  { what: 'TCP throughput', unit: 'MB/s', words: ['flood', '0.4'], scale: 1e-6, least: 1 },
  { what: 'request and answer', unit: 'µs', words: ['latency', '3000'], scale: 1, limit: 1.2 },
  { what: 'new connections', unit: '/s', words: ['rate', '0.4', '16'], scale: 1, least: 1 },
];

async function trafficRows(dir: string, user: ReturnType<typeof makeUser>): Promise<Row[]> {
  const traffic = await compileTraffic(dir);
  const carriers = await startCarriers(user, dir);
  const servers: ChildProcess[] = [];
  try {
    const hostPort = await freePort();
    servers.push(await serve([traffic, 'serve', String(hostPort)]));
    for (const { pid, port } of carriers)
      servers.push(await serve([...inside(pid), traffic, 'serve', String(port)]));
    const rows: Row[] = [];
    for (const measurement of MEASUREMENTS) {
      const { what } = measurement;
      const out = (carrier: Carrier): Promise<number> =>
        figure(carrier, [...inside(carrier.pid), traffic], measurement, [carrier.host, hostPort]);
      const back = (carrier: Carrier): Promise<number> =>
        figure(carrier, [traffic], measurement, ['127.0.0.1', carrier.port]);
      rows.push(...(await compare(`${what}, container to host`, measurement, carriers, out)));
      rows.push(...(await compare(`${what}, host to container`, measurement, carriers, back)));
    }
    rows.push(...(await memoryRows(traffic, carriers, hostPort)));
    return rows;
  } finally {
    for (const server of servers) server.kill('SIGKILL');
    for (const carrier of carriers) await carrier.stop();
  }
}

const inside = (pid: number): string[] => ['nsenter', `--net=/proc/${pid}/ns/net`];

/** Interleaved, after a turn that does not count. */
async function compare(
  what: string,
  { unit, limit, least }: Measurement,
  carriers: readonly Carrier[],
  measure: (carrier: Carrier) => Promise<number>,
): Promise<Row[]> {
  const figures = new Map(carriers.map(({ name }): [string, number[]] => [name, []]));
  for (let turn = 0; turn <= RUNS; turn += 1) {
    for (const carrier of carriers) {
      const value = await measure(carrier);
      if (turn > 0) figures.get(carrier.name)?.push(value);
    }
  }
  const value = median(figures.get('ours') ?? []);
  return carriers.slice(1).map(({ name }) => {
    const peerValue = median(figures.get(name) ?? []);
    const bounds = name === 'pasta' ? { ...(limit && { limit }), ...(least && { least }) } : {};
    return { what, value, unit, peer: name, peerValue, ratio: value / peerValue, ...bounds };
  });
}

/** How often a peer that broke down is asked again. */
const AGAIN = 3;

/** One measurement. Where ours fails so does the benchmark; a peer's lost connections only count against it, and one that breaks down is asked again. */
async function figure(
  { name }: Carrier,
  prefix: readonly string[],
  { words: [verb = '', ...rest], scale }: Measurement,
  [host, port]: readonly [string, number],
): Promise<number> {
  const words = [...prefix, verb, host, String(port), ...rest];
  for (let turn = 1; ; turn += 1) {
    const { status, stdout, stderr } = await command(words, { timeout: 20_000 });
    if (status === 0 && (name !== 'ours' || stderr === '')) return Number(stdout) * scale;
    const failure = `${name}: ${words.join(' ')}: ${stderr.trim()}`;
    if (name === 'ours' || turn > AGAIN) throw new Error(failure);
    console.error(`again, ${failure}`);
  }
}

async function serve(words: readonly string[]): Promise<ChildProcess> {
  return untilReady(words, ['ignore', 'pipe', 'inherit']);
}

async function untilReady(
  words: readonly string[],
  stdio: ['ignore' | 'pipe', 'pipe', 'inherit'],
): Promise<ChildProcess> {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { stdio, cwd: '/' });
  if (child.stdout === null) throw new Error('no standard output');
  const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [
    unknown,
  ];
  if (!String(line).startsWith('ready')) throw new Error(`${words.join(' ')} did not start`);
  return child;
}

/** The carrying process's memory while a thousand connections are open. */
async function memoryRows(
  traffic: string,
  carriers: readonly Carrier[],
  hostPort: number,
): Promise<Row[]> {
  const values = new Map<string, number>();
  for (const { name, pid, host, carrierPid } of carriers) {
    const words = [...inside(pid), traffic, 'hold', host, String(hostPort), '1000'];
    const holder = await untilReady(words, ['pipe', 'pipe', 'inherit']);
    await delay(500);
    const rollup = readFileSync(`/proc/${carrierPid}/smaps_rollup`, 'utf8');
    values.set(name, Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1000);
    holder.stdin?.end();
    await once(holder, 'exit');
  }
  const what = 'memory at 1,000 connections (PSS)';
  const value = values.get('ours') ?? NaN;
  const [, ...peers] = [...values];
  return [
    { what, value, unit: 'MB', limit: 30 },
    ...peers.map(([peer, peerValue]): Row => ({
      what,
      value,
      unit: 'MB',
      peer,
      peerValue,
      ratio: value / peerValue,
    })),
  ];
}

/** What a bridge adds to `docker run`, with our engine and with a dockerd in a network namespace of its own. */
async function startRows(dir: string): Promise<Row[]> {
  await makeImages(['busybox:latest']);
  const engine = await startTestEngine('system');
  const peer = await startDockerd(join(dir, 'dockerd'));
  try {
    const sides: [string, string][] = [['ours', engine.address]];
    if (peer !== undefined) sides.push(['dockerd', peer.address]);
    const timed: Timed[] = [];
    for (const [name, DOCKER_HOST] of sides) {
      const env = { DOCKER_HOST };
      const loaded = await command(['docker', 'load', '-i', archiveOf('busybox:latest')], { env });
      if (loaded.status !== 0) throw new Error(`${name}: ${loaded.stderr}`);
      for (const network of ['bridge', 'none'])
        timed.push({
          name: `${name} ${network}`,
          words: ['docker', 'run', '--rm', '--network', network, 'busybox', 'true'],
          env,
        });
    }
    const times = await medians(timed, RUNS);
    const added = (name: string): number =>
      (times.get(`${name} bridge`) ?? NaN) - (times.get(`${name} none`) ?? NaN);
    const what = 'what a bridge adds to docker run';
    const value = added('ours');
    const peerValue = added('dockerd');
    return [
      { what, value, unit: 'ms', limit: 25 },
      ...(peer === undefined
        ? []
        : [
            {
              what,
              value,
              unit: 'ms',
              peer: 'dockerd',
              peerValue,
              ratio: value / peerValue,
            } as const,
          ]),
    ];
  } finally {
    await peer?.stop();
    await engine.close();
  }
}
