/** Services of the API with known answers, for tests of the protocol alone. They hold no engine. */

import { PassThrough, Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { EngineError } from '../../src/lib/errors.ts';
import type { ContainerInspect, ExecInspect } from '../../src/lib/api/containers.ts';
import { frameHeader } from '../../src/lib/api/stdcopy.ts';
import type { ApiServices } from '../../src/engine/api/handlers.ts';
import { createEventBus } from '../../src/engine/events/bus.ts';

/** What a test may look at and change. */
export interface Fakes {
  readonly services: ApiServices;
  readonly calls: string[];
  /** What attach and exec hand out next. */
  stream: Duplex;
  tty: boolean;
  /** Settles the waits. */
  end(exitCode: number): void;
  build: ApiServices['builder']['build'];
  shutdowns: number;
}

const CONTAINER = 'c'.repeat(64);

function refuse(what: string): never {
  throw new EngineError('internal', `${what} is not part of this test`);
}

export function fakeServices(): Fakes {
  const events = createEventBus({ onError: (error) => refuse(String(error)) });
  const ended = Promise.withResolvers<number>();
  const calls: string[] = [];
  const known = (ref: string): void => {
    if (ref !== 'box' && ref !== CONTAINER)
      throw new EngineError('not-found', `No such container: ${ref}`);
  };
  const unused = new Proxy({}, { get: (_target, name) => () => refuse(String(name)) });
  const fakes: Fakes = {
    calls,
    stream: new PassThrough(),
    tty: false,
    end: (code) => ended.resolve(code),
    build: () => refuse('build'),
    shutdowns: 0,
    services: {
      files: unused as ApiServices['files'],
      containers: {
        ...(unused as ApiServices['containers']),
        create: (name, request) => {
          calls.push(`create ${name ?? '-'} ${request.Image ?? '-'}`);
          return Promise.resolve({ Id: CONTAINER, Warnings: [] });
        },
        list: (options) => {
          calls.push(`list ${JSON.stringify(options)}`);
          return Promise.resolve([]);
        },
        inspect: (ref) => {
          known(ref);
          const config = { Tty: fakes.tty, OpenStdin: true };
          return Promise.resolve({
            Id: CONTAINER,
            Config: config,
            State: { Status: 'running', Running: true },
          } as ContainerInspect);
        },
        start: (ref) => {
          known(ref);
          calls.push('start');
          return Promise.resolve('not-modified');
        },
        kill: (_ref, signal) => {
          calls.push(`kill ${signal}`);
          return Promise.resolve();
        },
        remove: (_ref, options) => {
          calls.push(`remove ${JSON.stringify(options)}`);
          return Promise.resolve();
        },
        wait: async (ref, _condition, signal) => {
          known(ref);
          signal.addEventListener('abort', () => calls.push('wait aborted'));
          return { StatusCode: await ended.promise, Error: null };
        },
        attach: (ref) => {
          known(ref);
          return Promise.resolve({ tty: fakes.tty, stream: fakes.stream });
        },
        logs: (_ref, options, signal) => {
          calls.push(`logs ${JSON.stringify(options)}`);
          signal.addEventListener('abort', () => calls.push('logs aborted'));
          const framed = Buffer.concat([frameHeader('stdout', 3), Buffer.from('hi\n')]);
          const stream = new PassThrough();
          if (options.follow) stream.write(framed);
          else stream.end(framed);
          return Promise.resolve({ tty: false, stream });
        },
        execStart: (id) => {
          calls.push(`exec ${id}`);
          return Promise.resolve({ tty: fakes.tty, stream: fakes.stream });
        },
        execInspect: () => ({ OpenStdin: true }) as ExecInspect,
        archiveGet: () => {
          const stat = {
            name: 'a',
            size: 1,
            mode: 420,
            mtime: '2026-01-01T00:00:00Z',
            linkTarget: '',
          };
          return Promise.resolve({ stat, tar: Readable.from([Buffer.from('tar')]) });
        },
      },
      images: {
        ...(unused as ApiServices['images']),
        inspect: (name) => {
          calls.push(`inspect ${name}`);
          throw new EngineError('not-found', `No such image: ${name}`);
        },
        pull: (reference, options) => {
          calls.push(`pull ${reference} ${options.auth?.username ?? '-'}`);
          options.onProgress({ status: `Pulling ${reference}` });
          return Promise.resolve();
        },
      },
      builder: {
        ...(unused as ApiServices['builder']),
        build: (context, options, io) => fakes.build(context, options, io),
      },
      volumes: unused as ApiServices['volumes'],
      networks: unused as ApiServices['networks'],
      system: unused as ApiServices['system'],
      events,
      engine: {
        describe: () => refuse('describe'),
        shutdown: () => {
          fakes.shutdowns += 1;
        },
      },
    },
  };
  return fakes;
}
