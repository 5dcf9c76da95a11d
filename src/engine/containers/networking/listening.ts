/** Which TCP ports something in a container listens on, as the kernel shows them in its network namespace. It only reads /proc. */

import { readFile, readdir, readlink } from 'node:fs/promises';
import type { ListeningPort } from '../../../lib/api/containers.ts';
import { formatAddress } from '../../network/addresses.ts';
import type { ProcessRef } from '../../network/types.ts';

/** include/net/tcp_states.h */
const TCP_LISTEN = '0A';
/** Looking for programs' names ends here; the ports are all there without them. */
const MAX_PROCESSES = 512;
const MAX_DESCRIPTORS = 4096;

/** Sorted by port. */
export async function listeningPorts(process: ProcessRef): Promise<ListeningPort[]> {
  const root = `/proc/${String(process.pid)}/net`;
  const [four, six] = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`${root}/${name}`, 'utf8').catch(() => '')),
  );
  const sockets = [...parseListening(four ?? ''), ...parseListening(six ?? '')];
  const names = await programNames(process.pid, new Set(sockets.map(({ inode }) => inode)));
  return sockets
    .map(({ port, address, inode }) => {
      const name = names.get(inode);
      return { port, address, ...(name === undefined ? {} : { process: name }) };
    })
    .sort((a, b) => a.port - b.port);
}

/** The lines of /proc/net/tcp and tcp6 in state LISTEN (proc_pid_net(5)). */
export function parseListening(text: string): { port: number; address: string; inode: string }[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [hex = '', port = ''] = (fields[1] ?? '').split(':');
      if (fields[3] !== TCP_LISTEN) return [];
      const address = addressOf(hex);
      return address === undefined
        ? []
        : [{ port: Number.parseInt(port, 16), address, inode: fields[9] ?? '' }];
    });
}

/** Words of 32 bits in the processor's byte order, which is little-endian wherever this runs. */
function addressOf(hex: string): string | undefined {
  if (!/^([0-9A-F]{8}|[0-9A-F]{32})$/i.test(hex)) return undefined;
  const bytes = Buffer.from(hex, 'hex').swap32();
  const value = BigInt(`0x${bytes.toString('hex')}`);
  return formatAddress({ family: bytes.length === 4 ? 4 : 6, value });
}

/** Socket inode → program, for the processes of the container's network namespace. */
async function programNames(
  pid: number,
  wanted: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const space = await readlink(`/proc/${String(pid)}/ns/net`).catch(() => undefined);
  if (space === undefined || wanted.size === 0) return names;
  // The container's first process and what came after it.
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const own: string[] = [];
  for (const other of pids) {
    if (own.length >= MAX_PROCESSES) break;
    if ((await readlink(`/proc/${other}/ns/net`).catch(() => '')) === space) own.push(other);
  }
  for (const other of own) {
    if (names.size === wanted.size) break;
    await nameSockets(other, wanted, names);
  }
  return names;
}

async function nameSockets(
  pid: string,
  wanted: ReadonlySet<string>,
  names: Map<string, string>,
): Promise<void> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  let name: string | undefined;
  for (const descriptor of descriptors.slice(0, MAX_DESCRIPTORS)) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode === undefined || !wanted.has(inode) || names.has(inode)) continue;
    name ??= (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
    if (name !== '') names.set(inode, name);
  }
}
