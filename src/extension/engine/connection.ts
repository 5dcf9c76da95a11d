/** One engine as the editor knows it: its client, its state, and what it can do. Looks when asked or when its socket changes; starts nothing. */
import { type Client, createClient } from '../../client/api/client.ts';
import type { Address } from '../../client/api/transport.ts';
import { EngineError, kindOf as errorKind, messageOf } from '../../lib/errors.ts';
import type { ConnectionState, Engine, EngineEntry, Feature } from './engines.ts';
import { type Facts, featuresOf, kindOf, lacksText } from './features.ts';
import { type SocketWatch, watchSocket } from './socket-watch.ts';

export interface ConnectionSetup {
  readonly entry: EngineEntry;
  /** Asked at each look, since settings change. May throw: that is a state. */
  readonly address: () => Address;
  readonly onChange: () => void;
}

/** A look at an engine that does not answer takes no longer than this; ssh needs its time. */
const LOOK_TIMEOUT = { near: 5_000, far: 20_000 } as const;
const RETRY_PAUSE = { first: 500, longest: 60_000 } as const;

export class Connection implements Engine {
  entry: EngineEntry;
  state: ConnectionState = { kind: 'off' };
  private readonly setup: ConnectionSetup;
  private held: { readonly key: string; readonly client: Client } | undefined;
  private features: ReadonlySet<Feature> | undefined;
  private sockets: { readonly path: string; readonly watch: SocketWatch } | undefined;
  private settled: ConnectionState = { kind: 'off' };
  private looking: Promise<void> | undefined;
  private again = false;
  private over = false;
  /** Set while the editor works with this engine. */
  private followed = false;
  /** A far engine that was reached and is lost is looked at again, less and less often: it has no socket that tells. */
  private retry: { readonly pause: number; readonly timer?: NodeJS.Timeout } | undefined;

  constructor(setup: ConnectionSetup) {
    this.setup = setup;
    this.entry = setup.entry;
  }

  get client(): Client {
    return this.hold(this.place());
  }

  /** Before the engine was reached everything but Pinnace's own is taken to be there. */
  has(feature: Feature): boolean {
    if (this.features !== undefined) return this.features.has(feature);
    return feature !== 'pinnace' || this.entry.kind === 'pinnace';
  }

  lacks(feature: Feature): string {
    return lacksText(this.entry.label, feature);
  }

  /** Sees what the engine says now. Never throws: a failure is a state. Calls while one is under way share the next. */
  async look(): Promise<void> {
    if (this.looking !== undefined) {
      this.again = true;
      await this.looking;
      return;
    }
    this.looking = this.lookAll();
    try {
      await this.looking;
    } finally {
      this.looking = undefined;
    }
  }

  /** Looks again whenever the socket comes or goes, from now on; at a far engine, once it was lost. */
  follow(): void {
    this.followed = true;
    const address = this.place();
    const path = 'socketPath' in address ? address.socketPath : undefined;
    if (this.over || path === this.sockets?.path) return;
    this.sockets?.watch.dispose();
    this.sockets =
      path === undefined ? undefined : { path, watch: watchSocket(path, () => void this.look()) };
  }

  /** The editor works with another engine. */
  unfollow(): void {
    this.followed = false;
    clearTimeout(this.retry?.timer);
    this.retry = undefined;
  }

  /** It is being started: looks that find nobody do not count until it is ready or has failed. */
  begin(): void {
    this.settled = { kind: 'connecting' };
    this.set(this.settled);
  }

  /** Why it did not start; stays until it is started again or answers. */
  fail(state: Extract<ConnectionState, { kind: 'failed' }>): void {
    this.settled = state;
    this.set(state);
  }

  dispose(): void {
    this.over = true;
    this.unfollow();
    this.sockets?.watch.dispose();
    this.held?.client.close();
  }

  private async lookAll(): Promise<void> {
    do {
      this.again = false;
      await this.lookOnce();
    } while (this.isAskedAgain());
  }

  private isAskedAgain(): boolean {
    return this.again && !this.over;
  }

  private async lookOnce(): Promise<void> {
    const address = this.place();
    if (this.sockets !== undefined) this.follow();
    if (this.state.kind === 'off') this.set({ kind: 'connecting' });
    try {
      const facts = await askFacts(this.hold(address), address);
      this.features = featuresOf(facts);
      const kind = kindOf(facts);
      this.entry = { ...this.setup.entry, kind };
      this.settled = { kind: 'off' };
      clearTimeout(this.retry?.timer);
      this.retry = { pause: RETRY_PAUSE.first };
      this.set({ kind: 'ready', version: facts.version.Version, info: facts.pinnace });
    } catch (error) {
      this.set(isAbsent(error, address) ? this.settled : failed(error));
      if ('dial' in address && errorKind(error) === 'unavailable') this.lookLater();
    }
  }

  /** Not where it was never reached, or refuses us: somebody has to do something first. */
  private lookLater(): void {
    if (!this.followed || this.over || this.retry === undefined) return;
    const { pause, timer } = this.retry;
    clearTimeout(timer);
    this.retry = {
      pause: Math.min(pause * 2, RETRY_PAUSE.longest),
      timer: setTimeout(() => void this.look(), pause).unref(),
    };
  }

  private set(state: ConnectionState): void {
    if (this.over) return;
    const same = JSON.stringify(state) === JSON.stringify(this.state);
    this.state = state;
    if (!same) this.setup.onChange();
  }

  private place(): Address {
    try {
      return this.setup.address();
    } catch (error) {
      return { name: this.setup.entry.address, dial: () => Promise.reject(asError(error)) };
    }
  }

  /** The client of an address, made anew only when the address has changed. */
  private hold(address: Address): Client {
    const key = 'dial' in address ? address.name : JSON.stringify(address);
    if (this.held?.key === key) return this.held.client;
    this.held?.client.close();
    this.held = { key, client: createClient(address) };
    return this.held.client;
  }
}

async function askFacts(client: Client, address: Address): Promise<Facts> {
  const limit = 'dial' in address ? LOOK_TIMEOUT.far : LOOK_TIMEOUT.near;
  const signal = AbortSignal.timeout(limit);
  try {
    await client.negotiate(signal);
    const [version, pinnace] = await Promise.all([
      client.system.version({ signal }),
      client.system.pinnaceInfo({ signal }),
    ]);
    const info = pinnace === undefined ? await client.system.info({ signal }) : undefined;
    return { version, pinnace, info };
  } catch (cause) {
    if (!signal.aborted) throw cause;
    const seconds = String(limit / 1000);
    throw new EngineError('unavailable', `no answer within ${seconds} seconds`, { cause });
  }
}

/** Nobody listens at a local socket: that is no failure. */
function isAbsent(error: unknown, address: Address): boolean {
  if (!('socketPath' in address) || !(error instanceof EngineError)) return false;
  return error.errno === 'ENOENT' || error.errno === 'ECONNREFUSED' || isCut(error);
}

/** The engine ended while it was asked. */
function isCut({ cause }: EngineError): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNRESET';
}

function failed(error: unknown): ConnectionState {
  return { kind: 'failed', message: messageOf(error), doctor: false };
}

function asError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError(errorKind(error), messageOf(error), { cause: error });
}
