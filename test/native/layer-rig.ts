/** Runs the layer and archive verbs of the real binary, as root or in a user namespace, in a folder that goes at the end. It must leave no process, mount or file behind. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nativeBinary } from './shim-rig.ts';

/** root: as it is; mapped: a user namespace with 65536 ids; single: one id only, as an unprivileged user. */
export type Where = 'root' | 'mapped' | 'single';

export interface Failed {
  readonly kind: string;
  readonly message: string;
  readonly errno: string | null;
  readonly path: string | null;
}

export interface Outcome {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** What came on descriptor 3. */
  readonly answer: string;
}

const NOBODY = 65_534;

/** Runs its arguments in a user namespace that root gives the ids 0 to 65535 (newuidmap would want /etc/subuid). */
const MAPPED = [
  'exec 5<&0',
  'unshare --user --mount sh -c \'kill -STOP $$; exec "$@"\' sh "$@" <&5 &',
  'while kill -0 $! && ! grep -q "^State:.T" /proc/$!/status; do :; done',
  'echo 0 0 65536 >/proc/$!/uid_map; echo 0 0 65536 >/proc/$!/gid_map',
  'kill -CONT $!; wait $!',
].join('\n');

/** A folder for one test file, and the verbs in it. */
export class Bench {
  readonly dir: string;
  readonly where: Where;

  constructor(where: Where = 'root') {
    assert.equal(
      process.getuid?.(),
      0,
      'these tests need root: they make devices and user namespaces',
    );
    this.where = where;
    this.dir = mkdtempSync(join(tmpdir(), 'pinnace-layer-'));
    if (where === 'single') chownSync(this.dir, NOBODY, NOBODY);
  }

  /** An absolute path below the folder. */
  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  /** A new directory, owned so that the verbs may write to it. */
  make(...parts: string[]): string {
    const path = this.path(...parts);
    mkdirSync(path, { recursive: true });
    if (this.where === 'single') chownSync(path, NOBODY, NOBODY);
    return path;
  }

  /** The command that runs the binary where the bench is. */
  command(args: readonly string[]): string[] {
    const binary = nativeBinary();
    if (this.where === 'root') return [binary, ...args];
    if (this.where === 'mapped') return ['sh', '-c', MAPPED, 'sh', binary, ...args];
    return [
      'setpriv',
      `--reuid=${String(NOBODY)}`,
      `--regid=${String(NOBODY)}`,
      '--clear-groups',
      'unshare',
      '-Urm',
      binary,
      ...args,
    ];
  }

  /** Runs a verb to its end. */
  run(args: readonly string[], input?: Buffer | string): Outcome {
    const [program = '', ...rest] = this.command(args);
    const result = spawnSync(program, rest, {
      input: input ?? '',
      maxBuffer: 1 << 30,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    // A verb that refuses early need not read all of its input.
    const broken = result.error as NodeJS.ErrnoException | undefined;
    assert.ok(broken === undefined || broken.code === 'EPIPE', String(broken));
    return {
      status: result.status,
      stdout: result.stdout,
      stderr: result.stderr.toString(),
      answer: result.output[3]?.toString() ?? '',
    };
  }

  /** A verb whose request is its standard input. */
  ask(verb: string, request: unknown): Record<string, unknown> {
    return answerOf(this.run(['layer', verb], JSON.stringify(request)));
  }

  refuse(verb: string, request: unknown): Failed {
    return failureOf(this.run(['layer', verb], JSON.stringify(request)));
  }

  /** `layer unpack` of an archive. */
  unpack(archive: Buffer, request: Readonly<Record<string, unknown>>): Outcome {
    const whole = {
      form: 'overlay',
      keep: null,
      expectDigest: null,
      expectDiffId: null,
      limits: null,
      idMap: null,
      ...request,
    };
    return this.run(['layer', 'unpack', '--request', JSON.stringify(whole)], archive);
  }

  /** Starts a verb and gives the process, with standard input open. */
  start(args: readonly string[]): ReturnType<typeof spawn> {
    const [program = '', ...rest] = this.command(args);
    return spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** Checks that nothing is left but the folder, and removes it with the binary's own verb. */
  close(): void {
    const removed = spawnSync(nativeBinary(), ['layer', 'remove'], {
      input: JSON.stringify({ dirs: [this.dir] }),
    });
    assert.equal(removed.status, 0, removed.stderr.toString());
    // Others may mount what they like meanwhile.
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    const left = mounts.filter((line) => line.includes(this.dir));
    assert.deepEqual(left, [], 'a mount was left behind');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function answerOf(outcome: Outcome): Record<string, unknown> {
  assert.equal(outcome.status, 0, outcome.stderr);
  return JSON.parse(outcome.stdout.toString()) as Record<string, unknown>;
}

/** The one error line of a verb that failed. */
export function failureOf(outcome: Outcome): Failed {
  assert.equal(outcome.status, 1, `it did not fail: ${outcome.stdout.toString()}`);
  const lines = outcome.stderr.trimEnd().split('\n');
  assert.equal(lines.length, 1, outcome.stderr);
  return (JSON.parse(lines[0] ?? '') as { error: Failed }).error;
}

/** Every path below a directory, sorted. */
export function below(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
}
