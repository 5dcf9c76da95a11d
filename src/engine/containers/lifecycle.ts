/** Starts, watches and ends containers: the only writer of their state. A change is in the database before anyone is told. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { EngineError, messageOf } from '../../lib/errors.ts';
import { clearCgroup } from '../runtime/cgroups.ts';
import type { SpecHost } from '../runtime/spec.ts';
import type { LiveNetwork, Prepared } from '../network/types.ts';
import type { ExitRecord, Shim } from '../runtime/types.ts';
import type { Container } from './container.ts';
import { cgroupPath, shimRequest } from './launch.ts';
import type { LaunchParts } from './launch.ts';
import { announce, placesOf } from './parts.ts';
import type { Connections } from './networking/connections.ts';
import { retire } from './remove.ts';
import type { Remover } from './remove.ts';
import { nextBackoff, shouldRestart } from './restart.ts';
import { networkFailure, startFailure } from './failures.ts';

export interface LifecycleParts extends LaunchParts {
  readonly remover: Remover;
  readonly connections: Connections;
  /** Begins and ends the health checks of a container. */
  readonly watchHealth: (container: Container) => (() => void) | undefined;
}

export class Lifecycle {
  readonly #parts: LifecycleParts;
  readonly #host: SpecHost;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
    this.#host = parts.host;
  }

  start(container: Container): Promise<'started' | 'not-modified'> {
    return container.turns.run(async () => {
      const { status } = container.state;
      if (container.removing)
        throw new EngineError('conflict', 'container is marked for removal and cannot be started');
      if (status === 'running') return 'not-modified';
      if (status === 'paused')
        throw new EngineError('conflict', 'cannot start a paused container, try unpause instead');
      clearTimeout(container.restartTimer);
      container.backoffMs = 0;
      await this.#launch(container, { restartCount: 0 });
      return 'started';
    });
  }

  /** One process, the attached clients, then the start; the row is written while the container starts. */
  async #launch(container: Container, change: { restartCount: number }): Promise<void> {
    const { table, runtime, events, clock, connections } = this.#parts;
    let shim: Shim | undefined;
    let prepared: Prepared | undefined;
    try {
      prepared = this.#prepare(container);
      const request = await shimRequest(container, this.#host, this.#parts, prepared);
      // A helper that outlived a killed engine may have made one after the start-up looked.
      if (existsSync(request.dir)) await retire(request.dir, runtime);
      shim = await runtime.create(request);
      container.process = request.config.process;
      const run = ++container.run;
      const made = shim;
      const [network] = await Promise.all([
        prepared === undefined ? null : this.#connect(container, prepared, made),
        ...[...container.pending].map(async ({ stream, stdin, stdout, stderr }) => {
          stream.connect(await made.attach({ stdin, stdout, stderr }));
        }),
      ]);
      container.pending.clear();
      const exit = shim.wait(null);
      const started = shim.start();
      started.catch(() => undefined);
      this.#watch(container, exit, run);
      table.save(container, {
        status: 'running',
        pid: shim.pid,
        exitCode: 0,
        error: '',
        oomKilled: false,
        startedAt: clock().toISOString(),
        manuallyStopped: false,
        network: network ?? null,
        ...change,
      });
      container.shim = shim;
      await started;
      announce(events, container, 'start');
      container.stopHealth = this.#parts.watchHealth(container);
    } catch (error) {
      await connections.undo(container, prepared);
      await this.#failed(container, shim, error);
      throw startFailure(error, container.definition.path);
    }
  }

  #prepare(container: Container): Prepared | undefined {
    try {
      return this.#parts.connections.prepare(container);
    } catch (error) {
      throw networkFailure(error);
    }
  }

  #connect(container: Container, prepared: Prepared, shim: Shim): Promise<LiveNetwork> {
    return this.#parts.connections
      .connect(container, prepared, shim)
      .catch((error: unknown) => Promise.reject(networkFailure(error)));
  }

  async #failed(container: Container, shim: Shim | undefined, error: unknown): Promise<void> {
    const { table, events, remover, clock, warn } = this.#parts;
    const failure = startFailure(error, container.definition.path);
    container.run++;
    container.shim = undefined;
    await shim?.stopCreated().catch(() => undefined);
    await this.#parts.runtime.clear(placesOf(this.#parts.places, container.id).shim);
    const isNew =
      container.state.startedAt.startsWith('0001') || container.state.status === 'running';
    table.save(container, {
      status: isNew && container.state.restartCount === 0 ? 'created' : 'exited',
      pid: 0,
      exitCode: failure.exitCode,
      error: failure.message,
      finishedAt: clock().toISOString(),
      network: null,
    });
    for (const client of container.pending) client.stream.abandon();
    container.pending.clear();
    announce(events, container, 'die', { exitCode: String(failure.exitCode) });
    const record = lostRecord(failure.exitCode, failure.message, clock());
    if (container.definition.hostConfig.AutoRemove === true) {
      await remover
        .erase(container, { volumes: true })
        .catch((problem: unknown) => warn(messageOf(problem)));
    }
    container.announceExit(record);
  }

  #watch(container: Container, exit: Promise<ExitRecord>, run: number): void {
    const ended = exit.catch(async (): Promise<ExitRecord> => {
      // The supervisor is gone: its record tells, or the container was lost with it.
      const files = placesOf(this.#parts.places, container.id);
      const record = await readExitFile(files.exitFile);
      if (record !== undefined) return record;
      await this.#clearLost(container);
      const why = "the container's supervisor ended without a record: the container was lost";
      return lostRecord(137, why, this.#parts.clock());
    });
    void ended
      .then((record) => container.turns.run(() => this.#exited(container, record, run)))
      .catch((error: unknown) => {
        this.#parts.warn(
          `container ${container.id}: its end could not be recorded: ${messageOf(error)}`,
        );
      });
  }

  async #exited(container: Container, record: ExitRecord, run: number): Promise<void> {
    if (run !== container.run || !container.isLive) return;
    const { table, events, remover, runtime, places } = this.#parts;
    container.stopHealth?.();
    container.stopHealth = undefined;
    container.shim = undefined;
    container.health = undefined;
    const { hostConfig } = container.definition;
    const seconds = Math.max(
      0,
      (Date.parse(record.finishedAt) - Date.parse(container.state.startedAt)) / 1000,
    );
    const again =
      !container.removing &&
      shouldRestart(hostConfig.RestartPolicy ?? {}, {
        exitCode: record.exitCode,
        restartCount: container.state.restartCount,
        manuallyStopped: container.state.manuallyStopped,
      });
    // Its ports and addresses are free again before anyone hears of its end.
    await this.#parts.connections.release(container);
    const facts = {
      pid: 0,
      exitCode: record.exitCode,
      error: record.error ?? '',
      oomKilled: record.oomKilled,
      finishedAt: record.finishedAt,
    };
    if (record.oomKilled) announce(events, container, 'oom');
    const attributes = {
      exitCode: String(record.exitCode),
      execDuration: String(Math.floor(seconds)),
    };
    if (hostConfig.AutoRemove === true && !container.removing) {
      // One transaction: the row goes instead of being updated first.
      container.state = { ...container.state, ...facts, status: 'removing' };
      announce(events, container, 'die', attributes);
      container.announceExit(record);
      await remover.erase(container, { volumes: true });
    } else {
      table.save(container, { ...facts, status: again ? 'restarting' : 'exited' });
      announce(events, container, 'die', attributes);
      container.announceExit(record);
      if (again) this.#scheduleRestart(container, seconds);
    }
    await runtime.clear(placesOf(places, container.id).shim);
  }

  #scheduleRestart(container: Container, ranSeconds: number): void {
    container.backoffMs = nextBackoff(container.backoffMs, ranSeconds);
    container.restartTimer = setTimeout(() => {
      void container.turns
        .run(async () => {
          if (container.state.status !== 'restarting' || container.removing) return;
          await this.#launch(container, { restartCount: container.state.restartCount + 1 });
        })
        .catch((error: unknown) => {
          this.#parts.warn(`container ${container.id} could not be restarted: ${messageOf(error)}`);
        });
    }, container.backoffMs);
  }

  /** Ends the pause before a restart: the container then rests as exited. */
  cancelRestart(container: Container): boolean {
    if (container.state.status !== 'restarting') return false;
    clearTimeout(container.restartTimer);
    this.#parts.table.save(container, { status: 'exited', manuallyStopped: true });
    return true;
  }

  /** Takes a container that ran before the engine did: watches it again, or records how it ended. */
  adopt(container: Container, shim: Shim): void {
    container.shim = shim;
    this.#parts.connections.adopt(container, shim);
    const run = ++container.run;
    this.#watch(container, shim.wait(null), run);
    container.stopHealth = this.#parts.watchHealth(container);
  }

  /** Records the end of a container whose supervisor is gone. */
  async settle(container: Container): Promise<void> {
    const files = placesOf(this.#parts.places, container.id);
    let record = await readExitFile(files.exitFile);
    if (record === undefined) {
      await this.#clearLost(container);
      const why = 'the container ended while the engine was not running, and left no record';
      record = lostRecord(137, why, this.#parts.clock());
    }
    const outcome = record;
    const run = ++container.run;
    await container.turns.run(() => this.#exited(container, outcome, run));
  }

  /** Ends every process that a dead supervisor can no longer end. */
  async #clearLost(container: Container): Promise<void> {
    const { runtime, places, probe, warn } = this.#parts;
    await runtime.clear(placesOf(places, container.id).shim);
    await clearCgroup(
      probe.cgroup,
      cgroupPath(container.definition.hostConfig, container.id),
    ).catch((error: unknown) => warn(messageOf(error)));
  }

  /** For a container whose engine ended in the pause before its restart. */
  resumeRestart(container: Container): void {
    this.#scheduleRestart(container, 0);
  }
}

async function readExitFile(path: string): Promise<ExitRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { exitCode, signal, oomKilled, finishedAt, error } = value as Record<string, unknown>;
    if (typeof exitCode !== 'number' || typeof finishedAt !== 'string') return undefined;
    return {
      exitCode,
      signal: typeof signal === 'number' ? signal : null,
      oomKilled: oomKilled === true,
      finishedAt,
      error: typeof error === 'string' ? error : null,
    };
  } catch {
    return undefined;
  }
}

function lostRecord(exitCode: number, error: string, now: Date): ExitRecord {
  return { exitCode, signal: null, oomKilled: false, finishedAt: now.toISOString(), error };
}
