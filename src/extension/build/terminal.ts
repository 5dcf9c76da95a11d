/** A build as coloured text of a terminal, and such text without its colours. Pure. */
import type { BuildRecord, BuildStep } from '../../lib/api/builds.ts';
import { sizeText, timeText } from '../../lib/text/amounts.ts';
import { outcomeText, totalOf } from './words.ts';

const bold = (text: string): string => `\u001b[1m${text}\u001b[22m`;
const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`;
const green = (text: string): string => `\u001b[32m${text}\u001b[39m`;
const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
const cyan = (text: string): string => `\u001b[36m${text}\u001b[39m`;

/** CSI, OSC and lone escapes; then control characters but tab and line break. */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** Text without colours and control characters; a line that was written over shows its last state. */
export function plainText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(ESCAPES, '')
    .replaceAll(/[^\n]*\r(?=[^\n])/g, '')
    .replaceAll(CONTROLS, '');
}

/** Line breaks as a terminal wants them. Colours stay; what could move the cursor or set the title goes. */
export function terminalText(text: string): string {
  return text
    .replaceAll(ESCAPES, (escape) => (/^\u001b\[[0-9;:]*m$/.test(escape) ? escape : ''))
    .replaceAll(/\r*\n/g, '\r\n');
}

export function headingText(step: BuildStep, total: number): string {
  const number = `[${String(step.number)}/${String(total)}]`;
  return `${cyan(bold(number))} ${bold(plainText(step.text))}\r\n`;
}

/** The line after a step that has ended; '' while it runs. */
export function endingText(step: BuildStep): string {
  const { outcome, ms, size } = step;
  if (outcome === 'cached') return `${green('  ✓ cached')}\r\n`;
  if (outcome === 'ran') {
    const layer = size > 0 ? `, ${sizeText(size)}` : '';
    return `${green(`  ✓ ${timeText(ms)}`)}${dim(layer)}\r\n`;
  }
  return outcome === 'failed' ? `${red(`  ✗ failed after ${timeText(ms)}`)}\r\n` : '';
}

/** The last lines: the problem matcher `$pinnace-build` reads the one with the error. */
export function summaryText(record: BuildRecord): string {
  const { status, error, dockerfile, durationMs, steps, cached, image, tags } = record;
  if (status === 'cancelled') return red('The build was cancelled.') + '\r\n';
  if (status === 'failed') {
    const message = plainText(error?.message ?? 'the build failed')
      .split('\n')
      .join(' ');
    const line = String(error?.line ?? 1);
    return `${red(`${dockerfile}:${line}:1: error: ${message}`)}\r\n`;
  }
  const names = tags.length === 0 ? image.replace('sha256:', '').slice(0, 12) : tags.join(', ');
  const from = cached === 0 ? '' : `, ${String(cached)} of ${String(steps)} steps from the cache`;
  return `${green(bold(`Built ${names}`))}${dim(` in ${timeText(durationMs)}${from}`)}\r\n`;
}

/** The whole of a build without colours, for the clipboard. */
export function rawText(
  record: BuildRecord,
  { before, log }: { readonly before: string; readonly log: (step: number) => string },
): string {
  const parts = [plainText(before)];
  for (const step of record.stepList) {
    parts.push(`[${String(step.number)}/${String(totalOf(record))}] ${step.text}\n`);
    parts.push(plainText(log(step.index)));
    const facts = [outcomeText(step), ...(step.outcome === 'ran' ? [timeText(step.ms)] : [])];
    parts.push(`--> ${facts.join(', ')}\n`);
  }
  parts.push(plainText(summaryText(record)));
  return parts.join('');
}
