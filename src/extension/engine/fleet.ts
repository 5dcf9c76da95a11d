/** The real Engines: the bundled engine and those that were found, which of them is active, and the bundled one's start and end. Knows no editor. */
import type { Address } from '../../client/api/transport.ts';
import { parseAddress } from '../../client/api/addresses.ts';
import { enginePaths } from '../../client/engine/paths.ts';
import { EngineError, messageOf } from '../../lib/errors.ts';
import { type Cli, complaintOf } from './cli.ts';
import { Connection } from './connection.ts';
import type { Engine, Engines, Listener } from './engines.ts';
import { findEngines, type Found, type Surroundings } from './entries.ts';

export interface FleetSetup {
  readonly cli: Cli;
  /** The settings' variables for the bundled engine. */
  readonly environment: () => Readonly<Record<string, string>>;
  readonly startArguments: () => readonly string[];
  readonly surroundings: () => Surroundings;
  /** The choice of an earlier window. */
  readonly chosen: () => string | undefined;
  readonly remember: (id: string) => Promise<void>;
  readonly log: (message: string) => void;
}

export interface Fleet extends Engines {
  /** Whether an engine is named in the settings. */
  isOwn(id: string): boolean;
  dispose(): void;
}

const BUNDLED = 'pinnace';

export function createFleet(setup: FleetSetup): Fleet {
  return new EngineFleet(setup);
}

class EngineFleet implements Fleet {
  private readonly setup: FleetSetup;
  private readonly bundled: Connection;
  private others: { readonly found: Found; readonly connection: Connection }[] = [];
  private readonly listeners = new Set<() => void>();
  private choice: string;
  private starting: Promise<void> | undefined;
  private told = false;

  constructor(setup: FleetSetup) {
    this.setup = setup;
    this.choice = setup.chosen() ?? BUNDLED;
    const socket = (): string =>
      enginePaths({ env: { ...process.env, ...setup.environment() } }).socket;
    this.bundled = new Connection({
      entry: { id: BUNDLED, label: 'Pinnace', kind: 'pinnace', address: addressText(socket) },
      address: (): Address => ({ socketPath: socket() }),
      onChange: () => this.tell(),
    });
    this.bundled.follow();
  }

  get all(): readonly Engine[] {
    return [this.bundled, ...this.others.map(({ connection }) => connection)];
  }

  get active(): Engine {
    return this.current();
  }

  isOwn(id: string): boolean {
    return this.others.some(({ found }) => found.entry.id === id && found.own);
  }

  async ready(signal?: AbortSignal): Promise<Engine> {
    const engine = this.current();
    await engine.look();
    if (engine === this.bundled && engine.state.kind !== 'ready') {
      await abortable((this.starting ??= this.start()), signal);
    }
    signal?.throwIfAborted();
    const { state, entry } = engine;
    if (state.kind === 'ready') return engine;
    const why = state.kind === 'failed' ? `: ${state.message}` : ' is not running';
    throw new EngineError('unavailable', `${entry.label} (${entry.address})${why}`);
  }

  async choose(id: string): Promise<void> {
    if (!this.all.some(({ entry }) => entry.id === id))
      throw new EngineError('not-found', `there is no engine ${id} in the list`);
    const before = this.current();
    this.choice = id;
    if (before !== this.current()) before.unfollow();
    await this.setup.remember(id);
    const engine = this.current();
    engine.follow();
    this.tell();
    await engine.look();
  }

  async refresh(): Promise<void> {
    await this.find();
    const connections = [this.bundled, ...this.others.map(({ connection }) => connection)];
    await Promise.all(connections.map((each) => each.look()));
  }

  async refreshActive(): Promise<void> {
    await this.current().look();
  }

  async find(): Promise<void> {
    const found = await findEngines(this.setup.surroundings());
    const before = new Map(this.others.map((each) => [JSON.stringify(each.found), each]));
    const own = this.bundledAddress();
    this.others = found
      .filter(({ entry }) => entry.address !== own)
      .map((each) => before.get(JSON.stringify(each)) ?? this.connect(each));
    const kept = new Set(this.others);
    let changed = kept.size !== before.size;
    for (const each of before.values()) {
      if (kept.has(each)) continue;
      each.connection.dispose();
      changed = true;
    }
    this.current().follow();
    if (changed) this.tell();
  }

  async stop(signal?: AbortSignal): Promise<void> {
    const answer = await this.setup.cli.run(['engine', 'stop'], signal);
    if (answer.status !== 0)
      throw new EngineError('unavailable', `the engine did not stop: ${complaintOf(answer)}`);
    this.setup.log(answer.stdout.trim());
    await this.bundled.look();
  }

  onDidChange(listener: () => void): Listener {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  }

  dispose(): void {
    this.listeners.clear();
    this.bundled.dispose();
    for (const { connection } of this.others) connection.dispose();
  }

  /** An engine that was chosen and is gone leaves the bundled one. */
  private current(): Connection {
    const other = this.others.find(({ found }) => found.entry.id === this.choice);
    return other?.connection ?? this.bundled;
  }

  private connect(found: Found): { found: Found; connection: Connection } {
    const { entry, tls } = found;
    const connection = new Connection({
      entry,
      address: () => parseAddress(entry.address, tls),
      onChange: () => this.tell(),
    });
    return { found, connection };
  }

  /** One start for all who wait; its end does not depend on any of them. */
  private async start(): Promise<void> {
    this.bundled.begin();
    try {
      const answer = await this.setup.cli.run([
        'engine',
        'start',
        '--json',
        ...this.setup.startArguments(),
      ]);
      if (answer.status !== 0) await this.refuse(complaintOf(answer));
      this.setup.log(`engine started: ${answer.stdout.trim()}`);
      await this.bundled.look();
    } catch (error) {
      if (this.bundled.state.kind === 'connecting')
        this.bundled.fail({ kind: 'failed', message: messageOf(error), doctor: false });
      throw error;
    } finally {
      this.starting = undefined;
    }
  }

  /** A failed start is the machine's fault when the doctor says that no mode is possible. */
  private async refuse(why: string): Promise<never> {
    const message = `the Pinnace engine did not start: ${why}`;
    this.setup.log(message);
    this.bundled.fail({ kind: 'failed', message, doctor: await this.cannotRun() });
    throw new EngineError('unavailable', message);
  }

  private async cannotRun(): Promise<boolean> {
    try {
      const { stdout } = await this.setup.cli.run(['doctor', '--json']);
      return (JSON.parse(stdout) as { mode?: unknown }).mode === 'none';
    } catch (error) {
      this.setup.log(`doctor: ${messageOf(error)}`);
      return false;
    }
  }

  private bundledAddress(): string {
    return this.bundled.entry.address;
  }

  /** At most once a turn of the loop, however much has changed. */
  private tell(): void {
    if (this.told) return;
    this.told = true;
    queueMicrotask(() => {
      this.told = false;
      for (const listener of [...this.listeners]) listener();
    });
  }
}

function addressText(socket: () => string): string {
  try {
    return `unix://${socket()}`;
  } catch {
    return 'unix://'; // Why there is no socket is the connection's state.
  }
}

/** Ends the waiting, not the work. */
async function abortable(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void =>
    aborted.reject(new EngineError('cancelled', 'nobody waits for the engine any more'));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    work.catch(() => undefined);
    signal.removeEventListener('abort', onAbort);
  }
}
