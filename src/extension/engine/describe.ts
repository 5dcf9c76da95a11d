/** Engines in words, as lists and trees show them. Pure. */
import type { Engine } from './engines.ts';

export function stateText({ state }: Pick<Engine, 'state'>): string {
  switch (state.kind) {
    case 'off':
      return 'not running';
    case 'connecting':
      return 'connecting…';
    case 'failed':
      return 'cannot be used';
    case 'ready':
      return [state.version, ...(state.info === undefined ? [] : [state.info.mode])].join(', ');
  }
}
