/** Signature help: the forms of the instruction being written, of its flag, or of its mount, and the part at the cursor. */
import type { SignatureHelp, SignatureInformation } from 'vscode-languageserver/node';
import type { Form, Parameter } from '../../src/lib/dockerfile/manual/entry.ts';
import { flagEntry } from '../../src/lib/dockerfile/manual/flags.ts';
import { INSTRUCTIONS } from '../../src/lib/dockerfile/manual/instructions.ts';
import { type KeyEntry, keyEntry, MOUNTS } from '../../src/lib/dockerfile/manual/mounts.ts';
import { MOUNT_TYPES } from '../../src/lib/dockerfile/mounts.ts';
import type { Dockerfile } from '../../src/lib/dockerfile/syntax.ts';
import { markdown } from './completion/items.ts';
import { type Argument, cursorAt } from './cursor.ts';

/** Null outside an instruction's arguments. */
export function signatureAt(file: Dockerfile, offset: number): SignatureHelp | null {
  const cursor = cursorAt(file, offset);
  if (cursor.kind === 'keyword' && cursor.held) return deferredHelp();
  if (cursor.kind !== 'flag' && cursor.kind !== 'argument') return null;
  if (cursor.kind === 'flag' && cursor.typed.includes('=')) {
    const help = flagHelp(cursor);
    if (help !== null) return help;
  }
  return instructionHelp(cursor);
}

/** Where ONBUILD's instruction begins. */
function deferredHelp(): SignatureHelp {
  const signatures = INSTRUCTIONS.ONBUILD.forms.map((form) => signature('ONBUILD', form, ' '));
  return { signatures, activeSignature: 0, activeParameter: 0 };
}

function instructionHelp(cursor: Argument): SignatureHelp {
  const { instructionKind, instruction } = cursor;
  const { forms } = INSTRUCTIONS[instructionKind];
  const active = Math.max(
    0,
    forms.findIndex((form) => fits(form, instruction.argument.text)),
  );
  return {
    signatures: forms.map((form) => signature(instructionKind, form, ' ')),
    activeSignature: active,
    activeParameter: activeIn(forms[active] ?? [], cursor),
  };
}

/** A form with the arguments begun as they are: JSON, a heredoc, NONE, or anything else. */
function fits(form: Form, argument: string): boolean {
  const first = form.find(({ label }) => !label.startsWith('[--'))?.label ?? '';
  if (argument.startsWith('[')) return first.startsWith('["');
  if (argument.startsWith('<<')) return first.startsWith('<<');
  if (/^NONE\b/i.test(argument)) return first === 'NONE';
  return !first.startsWith('["') && !first.startsWith('<<');
}

function activeIn(form: Form, { kind, typed, index }: Argument): number {
  if (kind === 'flag') {
    const name = /^--[^=]*/.exec(typed)?.[0] ?? '--';
    return Math.max(
      0,
      form.findIndex(({ label }) => label.includes(name)),
    );
  }
  const flags = form.filter(({ label }) => label.startsWith('[--')).length;
  return Math.min(flags + index, form.length - 1);
}

function signature(head: string, form: Form, separator: string): SignatureInformation {
  let label = head;
  const parameters = form.map(({ label: part, summary }, index) => {
    const glue = index === 0 && head.endsWith('=') ? '' : separator;
    const start = label.length + glue.length;
    label += glue + part;
    return { label: [start, start + part.length] as [number, number], documentation: summary };
  });
  return { label, parameters };
}

function flagHelp({ instructionKind, typed, rest }: Argument): SignatureHelp | null {
  const name = typed.slice(2, typed.indexOf('='));
  const entry = flagEntry(instructionKind, name);
  if (entry === undefined) return null;
  if (name === 'mount') return mountHelp(typed, typed + rest);
  const form: Form = [{ label: entry.placeholder, summary: entry.summary }];
  const one = signature(`--${name}=`, form, '');
  return {
    signatures: [{ ...one, documentation: markdown(`${entry.summary}. ${entry.text}`.trimEnd()) }],
    activeSignature: 0,
    activeParameter: 0,
  };
}

function mountHelp(typed: string, whole: string): SignatureHelp {
  const written = /[=,]type=([a-z]*)/i.exec(whole)?.[1]?.toLowerCase();
  const active = Math.max(
    0,
    MOUNT_TYPES.findIndex((type) => type === written),
  );
  const field = typed.slice(Math.max(typed.lastIndexOf(','), typed.indexOf('=')) + 1);
  const key = field.split('=')[0]?.toLowerCase() ?? '';
  const signatures = MOUNT_TYPES.map((type) => signature('--mount=', mountForm(type), ','));
  const type = MOUNT_TYPES[active] ?? 'bind';
  return { signatures, activeSignature: active, activeParameter: keyIndex(type, key) };
}

function mountForm(type: (typeof MOUNT_TYPES)[number]): Form {
  const keys = Object.entries(MOUNTS[type].keys).map(([name, entry]): Parameter => ({
    label: keyLabel(name, entry),
    summary: entry.summary,
  }));
  return [{ label: `type=${type}`, summary: MOUNTS[type].summary }, ...keys];
}

function keyLabel(name: string, { bare, placeholder }: KeyEntry): string {
  return bare ? `[${name}]` : `[${name}=${placeholder}]`;
}

function keyIndex(type: (typeof MOUNT_TYPES)[number], key: string): number {
  const entry = keyEntry(type, key);
  const at = Object.values(MOUNTS[type].keys).findIndex((known) => known === entry);
  return at + 1;
}
