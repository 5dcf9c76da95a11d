/** `doctor`: what this machine allows, what is missing and the one way to mend it. It needs no engine. */

import { diagnose, type Finding } from '../../client/engine/doctor.ts';
import type { Register } from '../context.ts';

const MARKS: Record<Finding['level'], string> = { ok: '✓', warn: '!', fail: '✗' };

export const doctor: Register = (program, context) => {
  program
    .command('doctor')
    .description('check what this machine allows the engine to do')
    .option('--json', 'answer as JSON')
    .action(async (flags: { json?: boolean }) => {
      const report = await diagnose({ env: context.env });
      if (flags.json === true) {
        context.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      } else {
        context.stdout.write(`mode: ${report.mode}\n`);
        for (const { level, message, remedy } of report.findings) {
          context.stdout.write(
            `${MARKS[level]} ${message}\n${remedy === null ? '' : `    → ${remedy}\n`}`,
          );
        }
      }
      if (report.findings.some(({ level }) => level === 'fail')) context.exit(1);
    });
};
