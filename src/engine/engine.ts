/**
 * The engine's process from its first line to its last: the lock, serving until told to end, and taking
 * everything down in reverse order. Containers go on without it.
 */

import { chmodSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '../lib/errors.ts';
import { VERSION } from '../lib/version.ts';
import { compose } from './compose.ts';
import { watchIdle } from './idle.ts';
import { readHolder, takeLock } from './lock.ts';
import type { EngineLock } from './lock.ts';
import { describe, openLog } from './log.ts';
import type { Log } from './log.ts';
import { collectWhenQuiet } from './memory.ts';
import { makePlaces } from './storage/places.ts';
import type { Places } from './storage/types.ts';

export interface EngineOptions {
  readonly dataRoot: string;
  readonly runRoot: string;
  /** Seconds; 0: never. */
  readonly idleExit: number;
  readonly foreground: boolean;
}

/** Requests under way get this long to end when the engine does. */
const DRAIN_MS = 500;
/** How long the engine that has the lock may take to serve, or to end. */
const LOCK_WITHIN_MS = 8000;
const LOCK_POLL_MS = 20;

/** Serves until a signal, a shutdown request or the idle time; resolves to the exit status. */
export async function runEngine(options: EngineOptions): Promise<number> {
  process.umask(0o077);
  let log: Log | undefined;
  try {
    const places = makePlaces(options);
    log = openLog(join(places.dataRoot, 'engine.log'), {
      echo: options.foreground ? 'stderr' : 'none',
      clock: () => new Date(),
    });
    const lock = await waitForLock(places);
    if (lock === undefined) return servedBy(places, log);
    await serve({ options, places, log, lock });
    return 0;
  } catch (error) {
    const text = `the engine cannot go on: ${describe(error)}`;
    if (log === undefined) process.stderr.write(`${text}\n`);
    else log.error(text);
    return 1;
  }
}

interface Frame {
  readonly options: EngineOptions;
  readonly places: Places;
  readonly log: Log;
  readonly lock: EngineLock;
}

async function serve(frame: Frame): Promise<void> {
  const { options, places, log, lock } = frame;
  const socket = join(places.runRoot, 'engine.sock');
  const end = Promise.withResolvers<string>();
  watchFailures(log, end.resolve);
  const engine = await compose({
    places,
    log,
    socket,
    idleExit: options.idleExit,
    shutdown: () => end.resolve('a client asked for it'),
  });
  const server = engine.server;
  await listen(server, socket);
  lock.announce({ pid: process.pid, runRoot: places.runRoot, socket });
  log.info(
    `Pinnace ${VERSION} serves unix://${socket} (process ${process.pid}, mode ${engine.mode})`,
  );
  const stopCollecting = collectWhenQuiet(server);
  const stopWatching = watchIdle(server, {
    seconds: options.idleExit,
    isBusy: engine.isBusy,
    onIdle: () => end.resolve(`nothing ran and nobody was connected for ${options.idleExit} s`),
  });
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(name, () => end.resolve(name));
  const reason = await end.promise;
  log.info(`the engine ends: ${reason}`);
  stopWatching();
  stopCollecting();
  // The name goes first: who comes now starts a new engine, which waits for the lock's end.
  rmSync(socket, { force: true });
  await closeServer(server);
  await engine.close();
  lock.release();
  log.close();
}

/** Only this user may connect: the folder is 0700, the socket 0600 from its first moment (umask). */
async function listen(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o600);
}

/** Lets requests under way end, then cuts what is left (followers, attached terminals). */
async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}

/** A bug must not go on with broken state: it is written down and ends the engine, whose successor reconciles. */
function watchFailures(log: Log, end: (reason: string) => void): void {
  process.on('uncaughtException', (error) => {
    log.error(`uncaught: ${describe(error)}`);
    end('an error that nobody caught');
  });
  process.on('unhandledRejection', (error) => log.error(`unhandled rejection: ${describe(error)}`));
}

/** The lock, or undefined once the engine that has it serves. One that is just ending is waited for. */
async function waitForLock(places: Places): Promise<EngineLock | undefined> {
  const deadline = performance.now() + LOCK_WITHIN_MS;
  for (;;) {
    const lock = takeLock(places);
    if (lock !== undefined) return lock;
    const holder = readHolder(places.dataRoot);
    if (holder !== undefined && (await accepts(holder.socket))) return undefined;
    if (performance.now() > deadline) {
      throw new EngineError(
        'unavailable',
        `another engine has locked ${places.dataRoot} or ${places.runRoot} but does not serve: see its log, ${join(places.dataRoot, 'engine.log')}`,
      );
    }
    await delay(LOCK_POLL_MS);
  }
}

/** Whether somebody listens on a unix socket. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });
}

/** Another engine has the lock: fine when it is the one that was asked for. */
function servedBy(places: Places, log: Log): number {
  const holder = readHolder(places.dataRoot);
  if (holder === undefined || holder.runRoot === places.runRoot) {
    log.info(
      holder === undefined
        ? 'another engine is starting on these roots'
        : `engine ${holder.pid} serves unix://${holder.socket} already`,
    );
    return 0;
  }
  log.error(
    `the data root ${places.dataRoot} is served by engine ${holder.pid} at unix://${holder.socket}: stop it, or use its run root ${holder.runRoot}`,
  );
  return 1;
}
