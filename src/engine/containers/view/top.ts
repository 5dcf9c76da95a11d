/** The processes of a container in the columns of ps, read from /proc. No program is run for it. */

import { readFile, readdir, readlink } from 'node:fs/promises';
import { EngineError } from '../../../lib/errors.ts';

export interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly tty: string;
  readonly state: string;
  readonly threads: number;
  /** Clock ticks of 1/100 s. */
  readonly cpuTicks: number;
  readonly startTicks: number;
  readonly rssKb: number;
  readonly vszKb: number;
  readonly priority: number;
  readonly nice: number;
  readonly comm: string;
  readonly args: string;
}

export interface MachineFacts {
  readonly userName: (uid: number) => string;
  /** Milliseconds since the epoch. */
  readonly bootTime: number;
  readonly now: number;
  readonly memoryKb: number;
}

type Column = readonly [
  title: string,
  value: (process: ProcessFacts, machine: MachineFacts) => string,
];

const COLUMNS: Readonly<Record<string, Column>> = {
  user: ['USER', (process, machine) => machine.userName(process.uid)],
  uid: ['UID', (process) => String(process.uid)],
  pid: ['PID', (process) => String(process.pid)],
  ppid: ['PPID', (process) => String(process.ppid)],
  c: ['C', (process, machine) => String(Math.min(99, Math.floor(cpuShare(process, machine))))],
  pcpu: ['%CPU', (process, machine) => cpuShare(process, machine).toFixed(1)],
  pmem: ['%MEM', (process, machine) => ((process.rssKb / machine.memoryKb) * 100).toFixed(1)],
  vsz: ['VSZ', (process) => String(process.vszKb)],
  rss: ['RSS', (process) => String(process.rssKb)],
  stime: ['STIME', (process, machine) => startText(process, machine)],
  start: ['START', (process, machine) => startText(process, machine)],
  tty: ['TTY', (process) => process.tty],
  stat: ['STAT', (process) => process.state],
  time: ['TIME', (process) => clockText(process.cpuTicks)],
  etime: ['ELAPSED', (process, machine) => elapsedText(process, machine)],
  ni: ['NI', (process) => String(process.nice)],
  pri: ['PRI', (process) => String(process.priority)],
  nlwp: ['NLWP', (process) => String(process.threads)],
  comm: ['COMMAND', (process) => process.comm],
  cmd: ['CMD', (process) => process.args],
  args: ['COMMAND', (process) => process.args],
};

const ALIASES: Readonly<Record<string, string>> = {
  command: 'args',
  ucmd: 'comm',
  tt: 'tty',
  tname: 'tty',
  s: 'stat',
  state: 'stat',
  euser: 'user',
  ruser: 'user',
  euid: 'uid',
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  nice: 'ni',
  cputime: 'time',
  bsdstart: 'start',
  vsize: 'vsz',
  rssize: 'rss',
};

const FULL = 'user pid ppid c stime tty time cmd';
const AUX = 'user pid pcpu pmem vsz rss tty stat start time args';

/** The columns that ps would print for these arguments. Throws `invalid` for others than -ef, aux, -o and their like. */
export function parsePsArgs(text: string): Column[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return toColumns(FULL.split(' '), { full: true });
  const asked: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '-o' || word === 'o' || word === '--format')
      asked.push(...(words[++at] ?? '').split(','));
    else if (/^-o.+/.test(word)) asked.push(...word.slice(2).split(','));
    else if (/^-?[eAaxfFuwdl]*o$/.test(word)) asked.push(...(words[++at] ?? '').split(','));
    else if (!/^-?[eAaxfFuwd]+$/.test(word)) throw unsupported(text);
  }
  if (asked.length > 0) return toColumns(asked, { full: false });
  const isBsd = words.every((word) => !word.startsWith('-'));
  return isBsd && words.some((word) => word.includes('u'))
    ? toColumns(AUX.split(' '), { full: false })
    : toColumns(FULL.split(' '), { full: true });
}

/** `ps -ef` heads the user's column UID, though it holds names. */
function toColumns(names: readonly string[], options: { full: boolean }): Column[] {
  return names
    .filter((name) => name !== '')
    .map((text) => {
      const [name = '', title] = text.split(/=(.*)/s);
      const column = COLUMNS[ALIASES[name.toLowerCase()] ?? name.toLowerCase()];
      if (column === undefined) throw unsupported(`-o ${name}`);
      if (options.full && name === 'user') return ['UID', column[1]];
      return title === undefined ? column : [title, column[1]];
    });
}

function unsupported(text: string): EngineError {
  return new EngineError(
    'invalid',
    `ps arguments "${text}" are not supported: use -ef, aux, or -o with ${Object.keys(COLUMNS).join(', ')}`,
  );
}

function cpuShare(process: ProcessFacts, machine: MachineFacts): number {
  const seconds = Math.max(
    (machine.now - machine.bootTime) / 1000 - process.startTicks / 100,
    0.01,
  );
  return process.cpuTicks / seconds;
}

function startText(process: ProcessFacts, machine: MachineFacts): string {
  const start = new Date(machine.bootTime + process.startTicks * 10);
  if (machine.now - start.getTime() > 86_400_000) {
    return start.toLocaleDateString('en-US', { month: 'short', day: '2-digit' }).replace(' ', '');
  }
  return start.toTimeString().slice(0, 5);
}

function clockText(ticks: number): string {
  const seconds = Math.floor(ticks / 100);
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function elapsedText(process: ProcessFacts, machine: MachineFacts): string {
  const text = clockText((machine.now - machine.bootTime) / 10 - process.startTicks);
  return text.startsWith('00:') ? text.slice(3) : text;
}

/** The processes that belong to the container: those of its pid namespace and their children. */
export async function containerProcesses(
  init: number,
  more: readonly number[],
): Promise<ProcessFacts[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const [space, own] = await Promise.all([pidSpace(init), pidSpace(process.pid)]);
  const spaces = new Map(
    await Promise.all(pids.map(async (pid) => [pid, await pidSpace(pid)] as const)),
  );
  const all = (await Promise.all(pids.map(readProcess))).filter((facts) => facts !== undefined);
  const mine = new Set([init, ...more]);
  if (space !== undefined && space !== own) {
    for (const [pid, value] of spaces) if (value === space) mine.add(pid);
  }
  for (let grown = true; grown;) {
    grown = false;
    for (const facts of all) {
      if (mine.has(facts.ppid) && !mine.has(facts.pid)) {
        mine.add(facts.pid);
        grown = true;
      }
    }
  }
  return all.filter((facts) => mine.has(facts.pid)).sort((a, b) => a.pid - b.pid);
}

function pidSpace(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
}

async function readProcess(pid: number): Promise<ProcessFacts | undefined> {
  const dir = `/proc/${pid}`;
  const read = (name: string) => readFile(`${dir}/${name}`, 'utf8').catch(() => '');
  const [stat, status, cmdline] = await Promise.all([
    read('stat'),
    read('status'),
    read('cmdline'),
  ]);
  const end = stat.lastIndexOf(')');
  if (end < 0) return undefined;
  const comm = stat.slice(stat.indexOf('(') + 1, end);
  const fields = stat.slice(end + 2).split(' ');
  const number = (index: number) => Number(fields[index - 3] ?? 0);
  return {
    pid,
    ppid: number(4),
    uid: Number(/^Uid:\t([0-9]+)/m.exec(status)?.[1] ?? 0),
    tty: ttyName(number(7)),
    state: fields[0] ?? '?',
    threads: number(20),
    cpuTicks: number(14) + number(15),
    startTicks: number(22),
    rssKb: number(24) * 4,
    vszKb: Math.floor(number(23) / 1024),
    priority: number(18),
    nice: number(19),
    comm,
    args: cmdline === '' ? `[${comm}]` : cmdline.replace(/\0+$/, '').replaceAll('\0', ' '),
  };
}

function ttyName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (device === 0) return '?';
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : `tty${minor}`;
}

/** Host names for ids, as `docker top` shows them, and the machine's clock. */
export async function machineFacts(now: number): Promise<MachineFacts> {
  const [passwd, uptime, meminfo] = await Promise.all(
    ['/etc/passwd', '/proc/uptime', '/proc/meminfo'].map((path) =>
      readFile(path, 'utf8').catch(() => ''),
    ),
  );
  const names = new Map<number, string>();
  for (const line of (passwd ?? '').split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (name !== '' && /^[0-9]+$/.test(uid) && !names.has(Number(uid)))
      names.set(Number(uid), name);
  }
  return {
    userName: (uid) => names.get(uid) ?? String(uid),
    bootTime: now - Number((uptime ?? '').split(' ')[0] ?? 0) * 1000,
    now,
    memoryKb: Number(/^MemTotal:\s+([0-9]+)/m.exec(meminfo ?? '')?.[1] ?? 1),
  };
}

export function topTable(
  columns: readonly Column[],
  processes: readonly ProcessFacts[],
  machine: MachineFacts,
): { Titles: string[]; Processes: string[][] } {
  return {
    Titles: columns.map(([title]) => title),
    Processes: processes.map((process) => columns.map(([, value]) => value(process, machine))),
  };
}
