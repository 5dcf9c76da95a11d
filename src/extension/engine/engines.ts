/**
 * The engines that the editor knows and the one that it works with: what trees, commands and files ask for.
 * Shapes only; the composition root makes the real ones, tests make their own. Knows no editor.
 */
import type { Client } from '../../client/api/client.ts';
import type { PinnaceInfo } from '../../lib/api/system.ts';

/** `pinnace` is the bundled engine; the others are found on the machine or named in the settings. */
export type EngineKind = 'pinnace' | 'docker' | 'podman' | 'other';

export interface EngineEntry {
  /** Stable over windows: `pinnace`, or the address. */
  readonly id: string;
  readonly label: string;
  readonly kind: EngineKind;
  /** `unix:///path`, `tcp://host:port`, `ssh://user@host`; for people and for `DOCKER_HOST`. */
  readonly address: string;
}

/** What not every engine has. An action that needs a missing one is greyed, with `lacks` as the reason. */
export type Feature =
  /** Everything below `/pinnace/…`: dial, listening ports, build records, tool execs, files without a detour. */
  'pinnace' | 'pause' | 'stats' | 'build' | 'commit' | 'push' | 'search';

export type ConnectionState =
  | { readonly kind: 'off' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ready'; readonly version: string; readonly info: PinnaceInfo | undefined }
  /** `doctor` is set where the bundled engine cannot run on this machine at all. */
  | { readonly kind: 'failed'; readonly message: string; readonly doctor: boolean };

export interface Engine {
  readonly entry: EngineEntry;
  readonly state: ConnectionState;
  /** Of the negotiated version; usable in every state, calls reject while the engine cannot be reached. */
  readonly client: Client;
  has(feature: Feature): boolean;
  /** Why it has not, as a sentence for people: names the engine and the feature. */
  lacks(feature: Feature): string;
}

export interface Listener {
  dispose(): void;
}

export interface Engines {
  readonly all: readonly Engine[];
  /** What the trees show and the commands work on. */
  readonly active: Engine;
  /** Makes the active engine ready; starts the bundled one where it does not run. Throws EngineError. */
  ready(signal?: AbortSignal): Promise<Engine>;
  /** Remembered for the next window. Throws EngineError (not-found) for an id that is not in `all`. */
  choose(id: string): Promise<void>;
  /** Looks for engines on the machine and in the settings, without asking them. */
  find(): Promise<void>;
  /** Looks for engines and at their states again; the bundled one is not started. */
  refresh(): Promise<void>;
  /** Looks at the active engine's state only. */
  refreshActive(): Promise<void>;
  /** Ends the bundled engine; its containers go on. Throws EngineError. */
  stop(signal?: AbortSignal): Promise<void>;
  /** States, the list or the choice have changed. */
  onDidChange(listener: () => void): Listener;
}
