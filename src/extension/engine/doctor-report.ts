/** What `pinnace doctor --json` says, checked, sorted and in words. Pure. */
import type { Diagnosis, Finding } from '../../client/engine/doctor.ts';

export interface DoctorReport {
  readonly mode: Diagnosis['mode'];
  readonly modeText: string;
  /** What failed first. */
  readonly findings: readonly Finding[];
  /** The whole as text, for a message to somebody else. */
  readonly text: string;
}

const MODES: Readonly<Record<Diagnosis['mode'], string>> = {
  system: 'The engine runs here as root (mode system).',
  rootless: 'The engine runs here without root, with your own range of user ids (mode rootless).',
  'single-id':
    'The engine runs here with your one user id (mode single-id): images that need other users are limited.',
  none: 'The engine cannot run here yet. Dockerfile features and other engines still work.',
};

const LEVELS: readonly Finding['level'][] = ['fail', 'warn', 'ok'];
const MARKS: Readonly<Record<Finding['level'], string>> = { ok: '✓', warn: '!', fail: '✗' };

/** Undefined for what is no diagnosis: the command ended before it could answer. */
export function readReport(text: string): DoctorReport | undefined {
  let parsed: Partial<Diagnosis> | null;
  try {
    parsed = JSON.parse(text) as Partial<Diagnosis> | null;
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed?.findings) || parsed.mode === undefined) return undefined;
  const { mode } = parsed;
  const all = parsed.findings as readonly Finding[];
  const findings = LEVELS.flatMap((level) => all.filter((finding) => finding.level === level));
  const modeText = MODES[mode];
  const lines = findings.flatMap(({ level, message, remedy }) => [
    `${MARKS[level]} ${message}`,
    ...(remedy === null ? [] : remedy.split('\n').map((line) => `    → ${line}`)),
  ]);
  return { mode, modeText, findings, text: `${modeText}\n\n${lines.join('\n')}\n` };
}
