/** The active engine as the status bar shows it: text, tooltip, accessible name and the command behind it. Pure. */
import type { Engine } from './engines.ts';

export interface StatusFace {
  readonly text: string;
  readonly tooltip: string;
  /** What a screen reader says. */
  readonly spoken: string;
  readonly command: string;
  readonly warning: boolean;
}

/** `running`: containers that run, undefined while that is not known. */
export function statusFace(
  { entry, state }: Pick<Engine, 'entry' | 'state'>,
  running: number | undefined,
): StatusFace {
  const name = entry.label;
  const common = { command: 'pinnace.engine.menu', warning: false };
  switch (state.kind) {
    case 'off':
      return {
        ...common,
        text: `$(circle-outline) ${name}`,
        tooltip: `${name} is not running.`,
        spoken: `${name}: not running`,
      };
    case 'connecting':
      return {
        ...common,
        text: `$(sync~spin) ${name}`,
        tooltip: `Connecting to ${name}…`,
        spoken: `${name}: connecting`,
      };
    case 'failed':
      return {
        ...common,
        text: `$(warning) ${name}`,
        tooltip: state.message,
        spoken: `${name}: cannot be used`,
        warning: true,
      };
    case 'ready': {
      const mode = state.info?.mode;
      const count = running === undefined || running === 0 ? '' : ` $(play) ${String(running)}`;
      const containers =
        running === undefined
          ? ''
          : `${String(running)} ${running === 1 ? 'container' : 'containers'} running`;
      const facts = [`version ${state.version}`, ...(mode === undefined ? [] : [`mode ${mode}`])];
      return {
        ...common,
        text: `$(vm-running) ${name}${count}`,
        tooltip: [`${name}, ${facts.join(', ')}`, entry.address, containers]
          .filter((line) => line !== '')
          .join('\n'),
        spoken: [`${name}: ready`, containers].filter((part) => part !== '').join(', '),
      };
    }
  }
}
