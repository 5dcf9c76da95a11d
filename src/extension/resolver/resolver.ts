/**
 * Leads an editor's window into a container: finds it, starts it, has the VS Code Server of the editor's own commit run inside,
 * and dials it through the engine for each connection; no port of this machine is opened. It makes no container and runs
 * nothing of a folder on this machine: that is for `Reopen in Container`, which asks for trust. Knows no editor at run time.
 */
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { carryAgent } from '../../client/devcontainer/agent.ts';
import { dialer } from '../../client/devcontainer/dial.ts';
import { inside } from '../../client/devcontainer/exec.ts';
import { findContainer, workspaceOf } from '../../client/devcontainer/find.ts';
import { forward } from '../../client/devcontainer/forward.ts';
import type { Kit } from '../../client/devcontainer/kit.ts';
import { openInside, type Opened } from '../../client/devcontainer/open.ts';
import { LOCAL_FOLDER } from '../../lib/devcontainer/labels.ts';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { Engine } from '../engine/engines.ts';
import type { MessagePassing, Tunnel, TunnelOptions } from './api.ts';
import { type Target, targetOf } from './authority.ts';
import { passingOf, Source } from './passing.ts';

export interface ResolverSetup {
  /** The engine of that id, ready; the bundled one is started. Throws `unavailable`, `not-found`. */
  readonly engine: (id: string, signal: AbortSignal) => Promise<Engine>;
  /** With the server of the editor's commit. Throws `unavailable`. */
  readonly kit: (signal: AbortSignal, say: (line: string) => void) => Promise<Kit>;
  /** Of the editor. */
  readonly commit: string;
  readonly env: () => Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
}

export interface Resolved {
  readonly makeConnection: () => Promise<MessagePassing>;
  readonly token: string;
  readonly opened: Opened;
}

/** How long a connection waits for an engine that is starting again. */
const RETRY_MS = 15_000;

export class Resolver {
  private readonly setup: ResolverSetup;
  private agent: AbortController | undefined;
  /** Of the window: an editor has one remote authority at a time. */
  private current: { readonly container: string; readonly engine: string } | undefined;

  constructor(setup: ResolverSetup) {
    this.setup = setup;
  }

  /** Called at the window's start and whenever its connection was lost. Throws EngineError. */
  async resolve(authority: string, signal: AbortSignal): Promise<Resolved> {
    const target = targetOf(authority);
    const { say } = this.setup;
    const engine = await this.setup.engine(target.engine, signal);
    const container = await containerOf(engine, target);
    const { State } = await engine.client.containers.inspect(container);
    if (!State.Running) {
      say(`starting container ${container.slice(0, 12)}`);
      await engine.client.containers.start(container);
    }
    const kit = await this.setup.kit(signal, say);
    const { commit, env } = this.setup;
    const opened = await openInside(engine.client, {
      container,
      kit,
      commit,
      env: env(),
      signal,
      say,
    });
    this.current = { container: opened.containerId, engine: target.engine };
    this.carryAgent(opened.containerId, engine);
    return {
      makeConnection: async () => passingOf(await this.dial(opened.port)),
      token: opened.token,
      opened,
    };
  }

  /** A port of the loopback that leads to one inside; the same number where it is free. */
  async tunnel({ remoteAddress, localAddressPort, protocol }: TunnelOptions): Promise<Tunnel> {
    const preferred = localAddressPort ?? remoteAddress.port;
    const listener = await forward(() => this.dial(remoteAddress.port), { preferred });
    const gone = new Source<undefined>();
    return {
      remoteAddress,
      localAddress: { host: '127.0.0.1', port: listener.port },
      ...(protocol === undefined ? {} : { protocol }),
      onDidDispose: gone.event,
      dispose: () => {
        listener.close();
        gone.tell(undefined);
      },
    };
  }

  dispose(): void {
    this.agent?.abort();
  }

  /** The user's SSH agent goes along while the window lives; a container without one loses nothing. */
  private carryAgent(container: string, engine: Engine): void {
    this.agent?.abort();
    const env = this.setup.env();
    const socket = env['SSH_AUTH_SOCK'];
    if (socket === undefined || socket === '') return;
    const agent = new AbortController();
    this.agent = agent;
    const carry = async (): Promise<void> => {
      const found = await engine.client.containers.inspect(container);
      const local = found.Config.Labels?.[LOCAL_FOLDER] ?? '/';
      const how = inside(found, local, [], env);
      await carryAgent(engine.client, how, socket, agent.signal);
    };
    carry().catch((error: unknown) => {
      if (!agent.signal.aborted)
        this.setup.say(`the SSH agent is not carried: ${messageOf(error)}`);
    });
  }

  /** Tries again while the engine is away: it was killed, or is starting. */
  private async dial(port: number): Promise<Duplex> {
    const { current } = this;
    if (current === undefined)
      throw new EngineError('conflict', 'the window is not inside a container yet');
    const signal = AbortSignal.timeout(RETRY_MS);
    for (;;) {
      try {
        const engine = await this.setup.engine(current.engine, signal);
        const pinnace = engine.has('pinnace');
        const dial = dialer({ client: engine.client, container: current.container, pinnace });
        return await dial(port, signal);
      } catch (error) {
        if (kindOf(error) !== 'unavailable' || signal.aborted) throw error;
        await sleep(100);
      }
    }
  }
}

/** Its id. Throws `not-found` with what to do. */
async function containerOf({ client, entry }: Engine, target: Target): Promise<string> {
  if ('container' in target) {
    try {
      return (await client.containers.inspect(target.container)).Id;
    } catch (error) {
      if (kindOf(error) !== 'not-found') throw error;
      throw new EngineError(
        'not-found',
        `${entry.label} has no container ${target.container} any more; close the remote connection`,
        { cause: error },
      );
    }
  }
  const found = await findContainer(client, workspaceOf(target.folder));
  if (found !== undefined) return found.Id;
  throw new EngineError(
    'not-found',
    `${target.folder} has no dev container in ${entry.label} any more; open the folder on this machine and choose Reopen in Container`,
  );
}
