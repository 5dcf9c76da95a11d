/** Problems as one JSON array, each with the keys that hadolint gives it and a few more. */

import { ruleOf } from '../../lib/dockerfile/lint/table.ts';
import { type Format, LEVEL_NAMES, placeOf } from './report.ts';

export const jsonFormat: Format = (reports) => {
  const items = reports.flatMap(({ path, problems }) =>
    problems.map((problem) => ({
      file: path,
      ...placeOf(problem),
      level: LEVEL_NAMES[problem.severity],
      code: problem.code,
      aliases: ruleOf(problem.code)?.aliases ?? [],
      message: problem.message,
      ...(problem.fix === undefined
        ? {}
        : {
            fix: {
              title: problem.fix.title,
              safety: problem.fix.safety,
              edits: problem.fix.edits.map(({ range, text }) => ({ ...range, text })),
            },
          }),
    })),
  );
  return `${JSON.stringify(items, undefined, 2)}\n`;
};
