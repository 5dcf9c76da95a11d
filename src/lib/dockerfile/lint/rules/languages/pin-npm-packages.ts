/** PinNpmPackages: npm install says which version of each package it wants. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { readCommandLine } from '../../shell/options.ts';
import { pinningCheck } from '../../shell/pinning.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { Rule } from '../../rule.ts';

const VALUES = [
  'prefix',
  'registry',
  'cache',
  'userconfig',
  'loglevel',
  'w',
  'workspace',
  'tag',
  'C',
  'omit',
  'include',
];

export const pinNpmPackages: Rule = {
  id: 'PinNpmPackages',
  aliases: ['DL3016'],
  severity: 'warning',
  summary: 'npm install gives versions',
  fixable: false,
  checks: {
    calls: ['npm'],
    call: pinningCheck(unpinned, (name) => `${name}@<version>`),
  },
};

function unpinned(call: ShellCall): readonly ShellWord[] {
  const [action, ...packages] = readCommandLine(call, VALUES).operands;
  if (!['install', 'i', 'add', 'isntall'].includes(action?.text ?? '')) return [];
  return packages.filter(({ value }) => value !== undefined && !isPinned(value));
}

/** A version, a file or folder, an address with a commit. */
function isPinned(text: string): boolean {
  if (/^(git|git\+\w+|https?):|^(github|gitlab|bitbucket|gist):/.test(text))
    return text.includes('#') || /\.t(ar\.)?gz$/.test(text);
  return /^[./~]|\.tar$|\.t(ar\.)?gz$|^file:/.test(text) || /.@[^/]+$/.test(text);
}
