/** Which of an engine's holdings an event is about, and what has to be asked again. Pure. */
import type { EventMessage } from '../../lib/api/system.ts';
import type { HoldingKind } from './store.ts';

export interface Touch {
  readonly kind: HoldingKind;
  /** Undefined: everything of the kind. */
  readonly id: string | undefined;
  /** The object is gone: nothing has to be asked. */
  readonly gone: boolean;
}

/** What changes nothing that a list shows; execs, attaches and copies come by the hundred. Podman's words are among them. */
const NOISE: ReadonlySet<string> = new Set([
  'attach',
  'detach',
  'resize',
  'top',
  'export',
  'copy',
  'kill',
  'archive-path',
  'extract-to-dir',
  'exec',
  'exec_died',
  'exec_detach',
  'sync',
  'mount',
  'unmount',
  'commit',
  'checkpoint',
]);

const GONE: ReadonlySet<string> = new Set(['destroy', 'remove']);

export function touchesOf(event: EventMessage): Touch[] {
  // Actions may carry a text: `exec_create: sh -c …`, `health_status: healthy`.
  const action = event.Action.split(':', 1)[0] ?? '';
  const { ID: id, Attributes: attributes } = event.Actor;
  switch (event.Type) {
    case 'container':
      return containerTouches(action, id);
    case 'image':
      return action === 'push' || action === 'save' || action === 'mount' || action === 'unmount'
        ? []
        : [all('image')];
    case 'volume':
      return NOISE.has(action) ? [] : [one('volume', action, id)];
    case 'network': {
      const container = attributes['container'];
      const network = one('network', action, id);
      const joined = action === 'connect' || action === 'disconnect';
      return joined && container !== undefined && container !== ''
        ? [network, { kind: 'container', id: container, gone: false }]
        : [network];
    }
    case 'builder':
      return action === 'prune' ? [all('image')] : [];
    default:
      return [];
  }
}

function containerTouches(action: string, id: string): Touch[] {
  if (NOISE.has(action) || action.startsWith('exec_')) return [];
  return [one('container', action, id)];
}

function one(kind: HoldingKind, action: string, id: string): Touch {
  if (action === 'prune' || id === '') return all(kind);
  return { kind, id, gone: GONE.has(action) };
}

function all(kind: HoldingKind): Touch {
  return { kind, id: undefined, gone: false };
}
