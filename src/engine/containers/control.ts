/** What a user may do to a container that exists: stop, kill, restart, pause, rename, remove, wait, update. It signals and asks; the lifecycle records what came of it. */

import { availableParallelism } from 'node:os';
import type { ContainerUpdateRequest, HostConfig } from '../../lib/api/containers.ts';
import { EngineError, type ErrorKind } from '../../lib/errors.ts';
import { throttledDevices } from '../runtime/devices.ts';
import { limitWarnings } from '../runtime/probe.ts';
import { limitResources } from '../runtime/resources.ts';
import type { Shim } from '../runtime/types.ts';
import type { Container } from './container.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Connections } from './networking/connections.ts';
import { announce } from './parts.ts';
import type { ContainersParts } from './parts.ts';
import type { Remover } from './remove.ts';
import { checkHostConfig, checkLimits } from './request/host-config.ts';
import { checkName } from './request/names.ts';
import { checkHostShape } from './request/shape.ts';
import { parseSignal, SIGKILL } from './request/signals.ts';
import type { ContainerTable } from './table.ts';

const DEFAULT_STOP_SECONDS = 10;
/** How long the end of a killed container is waited for. */
const KILL_WAIT_MS = 10_000;

export interface ControlParts extends ContainersParts {
  readonly table: ContainerTable;
  readonly lifecycle: Lifecycle;
  readonly remover: Remover;
  readonly connections: Connections;
}

export interface StopOptions {
  /** Seconds; negative: wait for ever. */
  readonly timeout?: number;
  readonly signal?: string;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** What a shim answers to a signal for a container that has ended; `unavailable`: the shim is gone too. */
const ENDED: ReadonlySet<ErrorKind> = new Set(['conflict', 'not-found', 'unavailable']);

export class Control {
  readonly #parts: ControlParts;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  async stop(container: Container, options: StopOptions): Promise<'stopped' | 'not-modified'> {
    const { config } = container.definition;
    const signal = parseSignal(
      nonEmpty(options.signal) ?? nonEmpty(config.StopSignal) ?? 'SIGTERM',
    );
    if (this.#parts.lifecycle.cancelRestart(container)) return 'stopped';
    const shim = container.shim;
    if (shim === undefined || !container.isLive) return 'not-modified';
    this.#parts.table.save(container, { manuallyStopped: true });
    const seconds = options.timeout ?? config.StopTimeout ?? DEFAULT_STOP_SECONDS;
    const exited = exitOf(container);
    await this.#signal(container, shim, signal, { all: false });
    if (container.state.status === 'paused') await shim.resume().catch(() => undefined);
    if (!(await within(exited, seconds < 0 ? undefined : seconds * 1000))) {
      await this.#signal(container, shim, SIGKILL, { all: true });
      if (!(await within(exited, KILL_WAIT_MS))) {
        throw new EngineError(
          'internal',
          `cannot stop container: ${container.id}: it did not end when killed`,
        );
      }
    }
    announce(this.#parts.events, container, 'stop');
    return 'stopped';
  }

  async kill(container: Container, text: string): Promise<void> {
    const signal = parseSignal(text === '' ? 'KILL' : text);
    const shim = container.shim;
    if (shim === undefined || !container.isLive) {
      if (signal === SIGKILL && this.#parts.lifecycle.cancelRestart(container)) return;
      throw new EngineError(
        'conflict',
        `cannot kill container: ${container.name}: container ${container.id} is not running`,
      );
    }
    const stopSignal = parseSignal(nonEmpty(container.definition.config.StopSignal) ?? 'SIGTERM');
    if (signal === SIGKILL || signal === stopSignal)
      this.#parts.table.save(container, { manuallyStopped: true });
    const exited = exitOf(container);
    await this.#signal(container, shim, signal, { all: signal === SIGKILL });
    if (signal === SIGKILL) await within(exited, KILL_WAIT_MS);
  }

  async restart(container: Container, options: StopOptions): Promise<void> {
    await this.stop(container, options);
    await this.#parts.lifecycle.start(container);
    announce(this.#parts.events, container, 'restart');
  }

  pause(container: Container): Promise<void> {
    return container.turns.run(async () => {
      if (container.state.status === 'paused')
        throw new EngineError('conflict', `Container ${container.id} is already paused`);
      await this.#running(container).pause();
      this.#parts.table.save(container, { status: 'paused' });
      announce(this.#parts.events, container, 'pause');
    });
  }

  unpause(container: Container): Promise<void> {
    return container.turns.run(async () => {
      if (container.state.status !== 'paused')
        throw new EngineError('conflict', `Container ${container.id} is not paused`);
      await this.#running(container).resume();
      this.#parts.table.save(container, { status: 'running' });
      announce(this.#parts.events, container, 'unpause');
    });
  }

  rename(container: Container, wanted: string): void {
    if (wanted === '') throw new EngineError('invalid', 'Neither old nor new names may be empty');
    const name = checkName(wanted);
    if (name === container.name) {
      throw new EngineError(
        'invalid',
        'Renaming a container with the same name as its current name',
      );
    }
    const oldName = `/${container.name}`;
    this.#parts.table.rename(container, name);
    this.#parts.connections.renamed(container);
    announce(this.#parts.events, container, 'rename', { oldName });
  }

  async remove(container: Container, options: { force: boolean; volumes: boolean }): Promise<void> {
    const { remover, table, lifecycle } = this.#parts;
    if (container.removing) {
      throw new EngineError(
        'conflict',
        `removal of container ${container.name} is already in progress`,
      );
    }
    if (container.isRunning && !options.force) {
      const what = container.state.status;
      throw new EngineError(
        'conflict',
        `cannot remove container "/${container.name}": container is ${what}: ${what === 'paused' ? 'unpause' : 'stop'} the container before removing or force remove`,
      );
    }
    container.removing = true;
    try {
      lifecycle.cancelRestart(container);
      const shim = container.shim;
      if (shim !== undefined && container.isLive) {
        const exited = exitOf(container);
        await this.#signal(container, shim, SIGKILL, { all: true });
        if (!(await within(exited, KILL_WAIT_MS))) {
          throw new EngineError(
            'internal',
            `cannot remove container ${container.name}: it did not end when killed`,
          );
        }
      }
      await container.turns.run(async () => {
        if (table.byId(container.id) !== undefined)
          await remover.erase(container, { volumes: options.volumes });
      });
    } catch (error) {
      container.removing = false;
      throw error;
    }
  }

  /** Subscribes in this very call. */
  wait(
    container: Container,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ StatusCode: number; Error: { Message: string } | null }> {
    const answer = () => ({
      StatusCode: container.state.exitCode,
      // A failed start was told to its caller; State.Error keeps the words.
      Error: null,
    });
    if (condition === 'not-running' && !container.isRunning) return Promise.resolve(answer());
    return new Promise((resolve, reject) => {
      const done = () => {
        for (const end of ends) end();
        resolve(answer());
      };
      const abort = () => {
        for (const end of ends) end();
        reject(new EngineError('cancelled', 'the wait was cancelled'));
      };
      const ends = [
        container.onRemoved(done),
        ...(condition === 'removed' ? [] : [container.onExit(done)]),
        () => signal.removeEventListener('abort', abort),
      ];
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  }

  async resize(container: Container, height: number, width: number): Promise<void> {
    await this.#running(container).resize(null, height, width);
    announce(this.#parts.events, container, 'resize', {
      height: String(height),
      width: String(width),
    });
  }

  update(container: Container, request: ContainerUpdateRequest): Promise<{ Warnings: string[] }> {
    checkHostShape(request);
    return container.turns.run(async () => {
      const old = container.definition.hostConfig;
      const { RestartPolicy: policy, ...asked } = request;
      const limits = Object.fromEntries(Object.entries(asked).filter(([, value]) => isSet(value)));
      const merged: HostConfig = {
        ...old,
        ...limits,
        ...(nonEmpty(policy?.Name) === undefined ? {} : { RestartPolicy: policy ?? {} }),
      };
      if ('Memory' in limits && !('MemorySwap' in limits))
        merged.MemorySwap = swapAfter(old, limits['Memory']);
      checkLimits(merged, { processors: availableParallelism() });
      const checked = checkHostConfig(merged, { processors: availableParallelism() });
      if (container.shim !== undefined && Object.keys(limits).length > 0) {
        const numbers = await throttledDevices(checked);
        await container.shim.update(limitResources(checked, numbers));
      }
      this.#parts.table.saveDefinition(container, { hostConfig: checked });
      announce(this.#parts.events, container, 'update');
      return { Warnings: limitWarnings(limits, this.#parts.probe.cgroup.controllers) };
    });
  }

  async #signal(
    container: Container,
    shim: Shim,
    signal: number,
    options: { all: boolean },
  ): Promise<void> {
    announce(this.#parts.events, container, 'kill', { signal: String(signal) });
    try {
      await shim.kill(signal, options);
    } catch (error) {
      // It ended in the meantime, and its shim may not have told yet: its exit tells.
      const isGone =
        error instanceof EngineError && (ENDED.has(error.kind) || error.errno === 'ESRCH');
      if (!isGone) throw error;
    }
  }

  #running(container: Container): Shim {
    if (container.shim === undefined || !container.isLive) {
      throw new EngineError('conflict', `Container ${container.id} is not running`);
    }
    return container.shim;
  }
}

function isSet(value: unknown): boolean {
  return (
    value !== undefined &&
    value !== null &&
    value !== 0 &&
    value !== '' &&
    !(Array.isArray(value) && value.length === 0)
  );
}

function swapAfter(old: HostConfig, memory: unknown): number {
  const wasDouble = (old.MemorySwap ?? 0) === (old.Memory ?? 0) * 2;
  if ((old.MemorySwap ?? 0) < 0) return -1;
  return wasDouble && typeof memory === 'number' ? memory * 2 : (old.MemorySwap ?? 0);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

/** Settles when this run has ended and its end is recorded. */
function exitOf(container: Container): Promise<void> {
  return new Promise((resolve) => {
    const end = container.onExit(() => {
      end();
      resolve();
    });
  });
}

/** True when it settled in time. */
async function within(event: Promise<void>, milliseconds: number | undefined): Promise<boolean> {
  if (milliseconds === undefined) return event.then(() => true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([event.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
