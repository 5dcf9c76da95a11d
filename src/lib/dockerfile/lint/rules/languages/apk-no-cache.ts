/** ApkNoCache: apk add fetches the index for itself and keeps none. */
import { insert, remove, safeFix } from '../../edits.ts';
import { isMounted } from '../../shell/cleanup.ts';
import { mayHaveOption } from '../../shell/options.ts';
import type { Rule } from '../../rule.ts';
import { apkAdd } from './apk.ts';

export const apkNoCache: Rule = {
  id: 'ApkNoCache',
  aliases: ['DL3019'],
  severity: 'information',
  summary: 'apk add has --no-cache',
  fixable: true,
  checks: {
    calls: ['apk'],
    call: (call, { report }) => {
      const add = apkAdd(call);
      if (add === undefined || mayHaveOption(add.line, 'no-cache') || add.packages.length === 0)
        return;
      const { instruction } = call;
      if (
        instruction.kind === 'RUN' &&
        isMounted(instruction, ['/var/cache/apk', '/etc/apk/cache'])
      )
        return;
      const { range } = add.action;
      // --update and -U are what --no-cache does by itself.
      const update = add.line.options.find(
        ({ name, word }) => name === 'update' || (name === 'U' && word.text === '-U'),
      );
      const edits =
        update === undefined
          ? [insert(range.end, ' --no-cache')]
          : [{ ...remove(update.word.range), text: '--no-cache' }];
      const message =
        'apk add keeps its index in the image: add --no-cache, which also makes apk update needless';
      report({ message, range, fix: safeFix('Add --no-cache', ...edits) });
    },
  },
};
