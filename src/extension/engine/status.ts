/** The engine's state as the status bar shows it: text, tooltip and the command behind it. */
import type { EngineState } from './watch.ts';

export interface StatusFace {
  readonly text: string;
  readonly tooltip: string;
  readonly command: string;
  readonly warning: boolean;
}

export function statusFace(state: EngineState): StatusFace {
  switch (state.kind) {
    case 'unknown':
      return face('$(sync~spin) Pinnace', 'Looking for the Pinnace engine', 'pinnace.doctor');
    case 'stopped':
      return face(
        '$(circle-outline) Pinnace',
        'The Pinnace engine is not running. Click to start it.',
        'pinnace.engine.start',
      );
    case 'failed': {
      const shown = face(
        '$(warning) Pinnace',
        `The Pinnace engine: ${state.message}`,
        'pinnace.doctor',
      );
      return { ...shown, warning: true };
    }
    case 'running':
      return runningFace(state.info);
  }
}

function runningFace(info: Extract<EngineState, { kind: 'running' }>['info']): StatusFace {
  if (info === undefined)
    return face('$(vm-running) Pinnace', 'An engine without Pinnace extras', 'pinnace.doctor');
  const { version, mode, containers } = info;
  const count = containers.running === 0 ? '' : ` ${String(containers.running)}`;
  const of = `${String(containers.running)} of ${String(containers.total)} containers running`;
  const tooltip = `Pinnace engine ${version}, mode ${mode}\n${of}\nClick to check this machine.`;
  return face(`$(vm-running) Pinnace${count}`, tooltip, 'pinnace.doctor');
}

function face(text: string, tooltip: string, command: string): StatusFace {
  return { text, tooltip, command, warning: false };
}
