/** `pinnace.doctor`: shows what this machine allows the engine, and the remedy for each missing piece. */
import type { Diagnosis, Finding } from '../../client/engine/doctor.ts';
import { messageOf } from '../../lib/errors.ts';
import { complaintOf } from '../engine/cli.ts';
import type { Command } from './desk.ts';

export const doctor: Command = {
  id: 'pinnace.doctor',
  title: 'Doctor: Check This Machine',
  run: async (desk) => {
    try {
      const answer = await desk.progress('Checking this machine', (signal) =>
        desk.cli.run(['doctor', '--json'], signal),
      );
      const diagnosis = readDiagnosis(answer.stdout);
      // Status 1 goes with findings of level fail; without findings it is a failure of the command.
      if (diagnosis === undefined)
        await desk.complain(`Pinnace Doctor failed: ${complaintOf(answer)}`);
      else await desk.show({ name: 'Pinnace Doctor', text: printDiagnosis(diagnosis) });
    } catch (error) {
      await desk.complain(`Pinnace Doctor failed: ${messageOf(error)}`);
    }
  },
};

function readDiagnosis(text: string): Diagnosis | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<Diagnosis> | null;
    return Array.isArray(parsed?.findings) ? (parsed as Diagnosis) : undefined;
  } catch {
    return undefined; // No JSON: the command ended before it could answer.
  }
}

const MARKS: Readonly<Record<Finding['level'], string>> = { ok: '✓', warn: '!', fail: '✗' };

const MODES: Readonly<Record<Diagnosis['mode'], string>> = {
  system: 'system: the engine runs as root',
  rootless: 'rootless: the engine runs with your own range of user ids',
  'single-id': 'single-id: the engine runs with your one user id',
  none: 'none: the engine cannot run here; language features and other engines still work',
};

/** The report as text, what failed first. */
export function printDiagnosis({ mode, findings }: Diagnosis): string {
  const order: Finding['level'][] = ['fail', 'warn', 'ok'];
  const sorted = order.flatMap((level) => findings.filter((finding) => finding.level === level));
  const lines = sorted.flatMap(({ level, message, remedy }) => [
    `${MARKS[level]} ${message}`,
    ...(remedy === null ? [] : remedy.split('\n').map((line) => `    → ${line}`)),
  ]);
  return `Pinnace Doctor\n\nMode ${MODES[mode]}\n\n${lines.join('\n')}\n`;
}
