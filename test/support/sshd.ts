/** A real sshd of Debian's on a loopback port, with keys and configuration of its own, and an `ssh` that knows only those. It touches nobody's ~/.ssh. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { end, sendSignal } from './children.ts';
import { command } from './engine.ts';
import { freePort } from './network.ts';

export interface Sshd {
  readonly port: number;
  /** A folder whose `ssh` is to come first in the PATH. */
  readonly clientPath: string;
  /** How many connections it serves. */
  connections(): number;
  /** Breaks all of its connections, as a network does. */
  cut(): void;
  /** The host gets another key, as one that somebody has put in its place. */
  changeKey(): Promise<void>;
  /** What the client knows of hosts; `trust` makes it the truth. */
  trust(): void;
  distrust(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** sshd will not run without it (sshd(8), privilege separation); Debian's service makes it too, and it stays. */
const PRIVILEGE_FOLDER = '/run/sshd';

/** `env` is what commands there find, PATH included. Needs root. */
export async function startSshd(dir: string, env: Readonly<Record<string, string>>): Promise<Sshd> {
  const clientPath = join(dir, 'client');
  mkdirSync(clientPath, { recursive: true, mode: 0o700 });
  const file = (name: string): string => join(dir, name);
  for (const name of ['host', 'key'])
    await command(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file(name)]);
  writeFileSync(file('authorized'), readFileSync(file('key.pub')));
  const port = await freePort();
  writeFileSync(file('sshd_config'), serverConfig(file, port, env));
  writeFileSync(join(clientPath, 'config'), clientConfig(file));
  const program = join(clientPath, 'ssh');
  writeFileSync(program, `#!/bin/sh\nexec /usr/bin/ssh -F ${join(clientPath, 'config')} "$@"\n`);
  chmodSync(program, 0o755);
  let child: ChildProcess | undefined;
  const sshd: Sshd = {
    port,
    clientPath,
    connections: () => childrenOf(child?.pid).length,
    cut: () => endChildren(child?.pid),
    changeKey: async () => {
      const other = ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file('other')];
      await command(other);
      writeFileSync(file('host'), readFileSync(file('other')), { mode: 0o600 });
      writeFileSync(file('host.pub'), readFileSync(file('other.pub')));
    },
    trust: () => {
      const key = readFileSync(file('host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
      writeFileSync(file('known_hosts'), `[127.0.0.1]:${port} ${key}\n`);
    },
    distrust: () => writeFileSync(file('known_hosts'), ''),
    start: async () => {
      mkdirSync(PRIVILEGE_FOLDER, { recursive: true, mode: 0o755 });
      const log = file('sshd.log');
      child = spawn('/usr/sbin/sshd', ['-D', '-f', file('sshd_config'), '-E', log], {
        stdio: 'ignore',
      });
      await untilOpen(port, child, log);
    },
    stop: async () => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      endChildren(child.pid);
      await end(child);
    },
  };
  await sshd.start();
  sshd.trust();
  return sshd;
}

function serverConfig(
  file: (name: string) => string,
  port: number,
  env: Readonly<Record<string, string>>,
): string {
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${file('host')}`,
    `AuthorizedKeysFile ${file('authorized')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'MaxStartups 100',
    'MaxSessions 100',
    `SetEnv ${Object.entries(env)
      .map(([name, value]) => `"${name}=${value}"`)
      .join(' ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

function clientConfig(file: (name: string) => string): string {
  return [
    'Host *',
    `  IdentityFile ${file('key')}`,
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile ${file('known_hosts')}`,
    '  GlobalKnownHostsFile /dev/null',
    '',
  ].join('\n');
}

function childrenOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}

function endChildren(parent: number | undefined): void {
  for (const pid of childrenOf(parent)) sendSignal(pid, 'SIGKILL');
}

async function untilOpen(port: number, child: ChildProcess, log: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await isOpen(port)) return;
    if (child.exitCode !== null)
      throw new Error(`sshd ended: ${existsSync(log) ? readFileSync(log, 'utf8') : ''}`);
    await delay(20);
  }
  throw new Error(`sshd does not listen at ${port}`);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
