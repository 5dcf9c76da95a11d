/** Further processes in running containers: made, started, watched, forgotten some time after their end. They live in memory only, as Docker's do. */

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { Duplex } from 'node:stream';
import type { ExecCreateRequest, ExecInspect } from '../../../lib/api/containers.ts';
import { EngineError, messageOf } from '../../../lib/errors.ts';
import { buildExecProcess } from '../../runtime/spec.ts';
import type { OciProcess, Shim } from '../../runtime/types.ts';
import type { Container, Exec } from '../container.ts';
import { startFailure } from '../failures.ts';
import { announce } from '../parts.ts';
import type { ContainersParts } from '../parts.ts';
import { processEnv } from '../request/config.ts';
import { checkExecShape } from '../request/shape.ts';
import type { ContainerTable } from '../table.ts';
import type { Framed } from '../types.ts';
import { DeferredStream } from './deferred.ts';
import { detachFilter, parseKeys } from './detach.ts';
import { frame } from './frames.ts';

/** A finished exec can be inspected this long. */
const KEEP_MS = 5 * 60_000;
const KEEP_COUNT = 512;

export interface StartOptions {
  readonly detach: boolean;
  readonly tty: boolean;
  /** Height, width. */
  readonly size: readonly [number, number] | undefined;
}

export class Execs {
  readonly #parts: ContainersParts;
  readonly #table: ContainerTable;
  readonly #byId = new Map<string, Exec>();

  constructor(parts: ContainersParts, table: ContainerTable) {
    this.#parts = parts;
    this.#table = table;
  }

  create(container: Container, request: ExecCreateRequest): { Id: string } {
    checkExecShape(request);
    checkLive(container);
    const program =
      request.PinnaceTool === undefined
        ? undefined
        : toolOf(request.PinnaceTool, this.#parts.native.path);
    const command = program === undefined ? (request.Cmd ?? []) : ['sh', ...(request.Cmd ?? [])];
    if (command.length === 0) throw new EngineError('invalid', 'No exec command specified');
    if (request.DetachKeys !== undefined) parseKeys(request.DetachKeys);
    const cwd = request.WorkingDir ?? '';
    if (cwd !== '' && !cwd.startsWith('/'))
      throw new EngineError('invalid', `WorkingDir: "${cwd}" is not an absolute path`);
    const { config } = container.definition;
    const exec: Exec = {
      id: randomBytes(32).toString('hex'),
      containerId: container.id,
      command,
      program,
      env: request.Env ?? [],
      cwd: cwd === '' ? nonEmpty(config.WorkingDir, '/') : posix.normalize(cwd),
      user: nonEmpty(request.User, config.User ?? ''),
      tty: request.Tty === true,
      privileged: request.Privileged === true,
      stdin: request.AttachStdin === true,
      stdout: request.AttachStdout === true,
      stderr: request.AttachStderr === true,
      detachKeys: request.DetachKeys ?? '',
      size: request.ConsoleSize ?? undefined,
      pid: 0,
      status: 'created',
      exitCode: null,
      finished: 0,
    };
    this.#forgetOld();
    this.#byId.set(exec.id, exec);
    container.execs.set(exec.id, exec);
    this.#announce(container, exec, `exec_create: ${command.join(' ')}`);
    return { Id: exec.id };
  }

  /** Null when detached. A command that cannot be executed is told in the stream, as Docker does, with its exit code. */
  async start(id: string, options: StartOptions): Promise<Framed<Duplex> | null> {
    const exec = this.#get(id);
    const container = this.#table.get(exec.containerId);
    if (exec.status !== 'created')
      throw new EngineError('conflict', `Error: Exec command ${id} is already running`);
    const shim = checkLive(container);
    exec.status = 'running';
    this.#announce(container, exec, `exec_start: ${exec.command.join(' ')}`);
    const size = options.size ?? exec.size;
    try {
      const { pid, stream } = await shim.exec({
        id,
        process: this.#process(container, exec),
        ...(exec.program === undefined ? {} : { program: exec.program }),
        tty: exec.tty,
        stdin: exec.stdin,
        stdout: exec.stdout,
        stderr: exec.stderr,
        detach: options.detach,
        size:
          exec.tty && size !== undefined && size[0] > 0
            ? { height: size[0], width: size[1] }
            : null,
      });
      exec.pid = pid;
      const ended = this.#watch(container, exec, shim);
      if (stream === null) return null;
      const filter = exec.tty && exec.stdin ? detachFilter(parseKeys(exec.detachKeys)) : undefined;
      const client = new DeferredStream({
        filter,
        onDetach: () => this.#announce(container, exec, 'exec_detach'),
      });
      client.connect(stream, ended);
      return { tty: exec.tty, stream: client };
    } catch (error) {
      const failure = startFailure(error, exec.command[0] ?? '', { exec: true });
      this.#finish(container, exec, failure.exitCode);
      if (options.detach) throw failure;
      const text = Buffer.from(`${failure.message}\r\n`);
      const client = new DeferredStream();
      client.prepend(exec.tty ? text : frame('stdout', text));
      client.abandon();
      return { tty: exec.tty, stream: client };
    }
  }

  inspect(id: string): ExecInspect {
    const exec = this.#get(id);
    const [entrypoint = '', ...rest] = exec.command;
    return {
      ID: exec.id,
      Running: exec.status === 'running',
      ExitCode: exec.exitCode,
      ProcessConfig: {
        tty: exec.tty,
        entrypoint,
        arguments: rest,
        privileged: exec.privileged,
        ...(exec.user === '' ? {} : { user: exec.user }),
      },
      OpenStdin: exec.stdin,
      OpenStderr: exec.stderr,
      OpenStdout: exec.stdout,
      CanRemove: exec.status === 'exited',
      ContainerID: exec.containerId,
      DetachKeys: exec.detachKeys,
      Pid: exec.pid,
    };
  }

  async resize(id: string, height: number, width: number): Promise<void> {
    const exec = this.#get(id);
    const shim = checkLive(this.#table.get(exec.containerId));
    if (exec.status !== 'running') throw new EngineError('conflict', `exec ${id} is not running`);
    await shim.resize(id, height, width);
  }

  /** Runs a command of ours (a health check) and gives its exit code and the beginning of its output. */
  async probe(
    container: Container,
    command: readonly string[],
    options: { timeoutMs: number; maxOutput: number },
  ): Promise<{ exitCode: number; output: string }> {
    const { Id } = this.create(container, {
      Cmd: [...command],
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    });
    const started = await this.start(Id, { detach: false, tty: true, size: undefined });
    if (started === null) return { exitCode: -1, output: '' };
    const chunks: Buffer[] = [];
    let size = 0;
    started.stream.on('data', (chunk: Buffer) => {
      if (size < options.maxOutput) chunks.push(chunk);
      size += chunk.length;
    });
    const isOver = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), options.timeoutMs);
      started.stream.once('close', () => {
        clearTimeout(timer);
        resolve(true);
      });
      started.stream.once('end', () => started.stream.destroy());
    });
    const output = Buffer.concat(chunks).toString('utf8').slice(0, options.maxOutput);
    if (isOver) return { exitCode: this.#get(Id).exitCode ?? -1, output };
    const { pid } = this.#get(Id);
    if (pid > 0) kill(pid);
    started.stream.destroy();
    return {
      exitCode: -1,
      output: `Health check exceeded timeout (${options.timeoutMs / 1000}s)${output === '' ? '' : `: ${output}`}`,
    };
  }

  #process(container: Container, exec: Exec): OciProcess {
    const { config } = container.definition;
    const base = container.process ?? { user: { uid: 0, gid: 0 }, args: [], env: [], cwd: '/' };
    const env = processEnv({ ...config, Tty: exec.tty || config.Tty === true }, exec.env);
    const { command, cwd, user, tty, privileged } = exec;
    return buildExecProcess(base, { args: command, env, cwd, user, tty, privileged });
  }

  async #watch(container: Container, exec: Exec, shim: Shim): Promise<void> {
    try {
      const record = await shim.wait(exec.id);
      this.#finish(container, exec, record.exitCode);
    } catch (error) {
      if (container.isLive)
        this.#parts.warn(`exec ${exec.id}: its end is unknown: ${messageOf(error)}`);
      this.#finish(container, exec, 137);
    }
  }

  #finish(container: Container, exec: Exec, exitCode: number): void {
    exec.status = 'exited';
    exec.exitCode = exitCode;
    exec.finished = Date.now();
    this.#announce(container, exec, 'exec_die', { exitCode: String(exitCode) });
  }

  #announce(
    container: Container,
    exec: Exec,
    action: string,
    more: Record<string, string> = {},
  ): void {
    announce(this.#parts.events, container, action, { execID: exec.id, ...more });
  }

  #get(id: string): Exec {
    const exec = this.#byId.get(id);
    if (exec === undefined || this.#table.byId(exec.containerId) === undefined) {
      this.#byId.delete(id);
      throw new EngineError('not-found', `No such exec instance: ${id}`);
    }
    return exec;
  }

  #forgetOld(): void {
    const limit = Date.now() - KEEP_MS;
    const ended = [...this.#byId.values()].filter(
      (exec) => exec.status === 'exited' || this.#table.byId(exec.containerId) === undefined,
    );
    const excess = this.#byId.size - KEEP_COUNT;
    ended.forEach((exec, index) => {
      if (index >= excess && exec.finished > limit) return;
      this.#byId.delete(exec.id);
      this.#table.byId(exec.containerId)?.execs.delete(exec.id);
    });
  }
}

/** The file of a tool that the engine brings. It lies beside the native helper; PINNACE_BUSYBOX names another place. */
function toolOf(name: string, helper: string): string {
  if (name !== 'shell')
    throw new EngineError('invalid', `PinnaceTool: "${name}" is not known; there is "shell"`);
  const own = process.env['PINNACE_BUSYBOX'] ?? '';
  const path = own === '' ? join(dirname(helper), 'busybox') : own;
  if (existsSync(path)) return path;
  throw new EngineError(
    'unavailable',
    `the static shell ${path} is missing: install Pinnace anew, or set PINNACE_BUSYBOX to a static busybox`,
    { path },
  );
}

function nonEmpty(text: string | undefined, fallback: string): string {
  return text === undefined || text === '' ? fallback : text;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself just now.
  }
}

function checkLive(container: Container): Shim {
  if (container.state.status === 'paused') {
    throw new EngineError(
      'conflict',
      `container ${container.id} is paused, unpause the container before exec`,
    );
  }
  if (container.shim === undefined || container.state.status !== 'running') {
    throw new EngineError('conflict', `container ${container.id} is not running`);
  }
  return container.shim;
}
