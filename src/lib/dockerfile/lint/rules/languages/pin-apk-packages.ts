/** PinApkPackages: apk add says which version of each package it wants. */
import { pinningCheck } from '../../shell/pinning.ts';
import { isOpen } from '../../shell/options.ts';
import type { Rule } from '../../rule.ts';
import { apkAdd } from './apk.ts';

export const pinApkPackages: Rule = {
  id: 'PinApkPackages',
  aliases: ['DL3018'],
  severity: 'warning',
  summary: 'apk add gives versions',
  fixable: false,
  checks: {
    calls: ['apk'],
    call: pinningCheck(
      (call) =>
        (apkAdd(call)?.packages ?? []).filter(
          (word) => !isOpen(word) && !/[=<>~@]|\.apk$|^[./]/.test(word.text),
        ),
      (name) => `${name}=<version>`,
    ),
  },
};
