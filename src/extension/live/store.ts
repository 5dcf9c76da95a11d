/**
 * What the active engine holds, kept true by its events: trees and files read it without waiting. Shapes only; knows no editor.
 */
import type { ContainerSummary } from '../../lib/api/containers.ts';
import type { ImageSummary } from '../../lib/api/images.ts';
import type { NetworkInfo, VolumeInfo } from '../../lib/api/system.ts';
import type { Listener } from '../engine/engines.ts';

export interface Holdings {
  readonly container: ContainerSummary;
  readonly image: ImageSummary;
  readonly volume: VolumeInfo;
  readonly network: NetworkInfo;
}

export type HoldingKind = keyof Holdings;

/** What changed: ids (names of volumes), or everything of the kind. */
export interface Change {
  readonly kind: HoldingKind;
  readonly ids: ReadonlySet<string> | 'all';
}

export interface LiveStore {
  /** `loading` before the first answer; `lost` while the event stream is being made again: what is held may be old. */
  readonly state: 'off' | 'loading' | 'live' | 'lost';
  /** By id (volumes: name), in the order in which the engine lists them. Replaced, never changed in place. */
  all<K extends HoldingKind>(kind: K): ReadonlyMap<string, Holdings[K]>;
  /** At most one call a frame (about 30 ms) and kind, however many events there were. */
  onDidChange(listener: (change: Change) => void): Listener;
  onDidChangeState(listener: () => void): Listener;
  /** Resolves when the first answer is there; at once when it is. */
  loaded(): Promise<void>;
  /** Asks for everything of a kind again, as after an action that engines emit no event for. */
  refresh(kind: HoldingKind): Promise<void>;
}
