/** The user's host key for SSH into containers, and the Include file for ssh_config. Nothing of the user's own files is touched. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { EngineError } from '../../lib/errors.ts';

export interface SshFiles {
  readonly folder: string;
  /** Private, OpenSSH's form. */
  readonly hostKey: string;
  /** For `Include` in ~/.ssh/config. */
  readonly config: string;
}

/** `Host pinnace.NAME` of the Include file. */
const HOST_PREFIX = 'pinnace.';

/** Makes what is missing. Throws `forbidden` when the key can be read by others or belongs to somebody else. */
export function sshFiles(env: NodeJS.ProcessEnv = process.env): SshFiles {
  const chosen = env['XDG_CONFIG_HOME'];
  const base =
    chosen !== undefined && chosen !== '' ? chosen : join(env['HOME'] ?? homedir(), '.config');
  const folder = join(base, 'pinnace', 'ssh');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const key = join(folder, 'host_ed25519');
  if (!existsSync(key)) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'pinnace' });
    writePrivate(key, pair.private);
    writePrivate(join(folder, 'known_hosts'), `pinnace ${pair.public}\n`);
  }
  const facts = lstatSync(key);
  if (!facts.isFile() || facts.uid !== process.getuid?.() || (facts.mode & 0o077) !== 0)
    throw new EngineError(
      'forbidden',
      `${key} must be a file that only you can read; remove it, and another is made`,
      { path: key },
    );
  return { folder, hostKey: readFileSync(key, 'utf8'), config: join(folder, 'config') };
}

/** Writes the Include file: every `pinnace.NAME` is reached through `command`, the words of `pinnace ssh`. */
export function writeSshConfig(files: SshFiles, command: readonly string[]): void {
  const text = [
    '# Written by Pinnace. Include it in ~/.ssh/config, above other Host lines.',
    `Host ${HOST_PREFIX}*`,
    `  ProxyCommand ${command.map(quote).join(' ')} ssh %n`,
    '  HostKeyAlias pinnace',
    `  UserKnownHostsFile ${quote(join(files.folder, 'known_hosts'))}`,
    '  StrictHostKeyChecking yes',
    '  ForwardAgent yes',
    '',
  ].join('\n');
  if (existsSync(files.config) && readFileSync(files.config, 'utf8') === text) return;
  writePrivate(files.config, text);
}

/** The container that a host of the Include file names. */
export function containerOfHost(host: string): string {
  return host.startsWith(HOST_PREFIX) ? host.slice(HOST_PREFIX.length) : host;
}

function quote(word: string): string {
  const doubled = word.replaceAll('%', '%%');
  return /^[\w@%+=:,./-]+$/.test(doubled)
    ? doubled
    : `"${doubled.replaceAll(/(["\\$`])/g, '\\$1')}"`;
}

function writePrivate(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
