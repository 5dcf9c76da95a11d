/** Registers the commands of package.json with the editor: loads their code when one is first called, hands over targets, shows errors. */
import * as vscode from 'vscode';
import { kindOf, messageOf } from '../lib/errors.ts';
import type { Command, Desk } from './commands/desk.ts';
import { callOf, selectedBy } from './commands/call.ts';
import type { Engines } from './engine/engines.ts';
import type { Node } from './views/nodes.ts';
import { say } from './words/say.ts';

interface Registration {
  readonly context: vscode.ExtensionContext;

  readonly desk: Desk;
  readonly engines: Engines;
  readonly log: vscode.LogOutputChannel;
  readonly selections: ReadonlyMap<string, () => readonly Node[]>;
}

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

/** Every command of package.json; the table (checked by a test to be the same) is only loaded at the first call. */
export function registerCommands(registration: Registration): void {
  const { context } = registration;
  const { contributes } = context.extension.packageJSON as Manifest;
  let table: Promise<ReadonlyMap<string, Command>> | undefined;
  const load = async (): Promise<ReadonlyMap<string, Command>> => {
    const { COMMANDS } = await import('./commands/table.ts');
    return new Map(COMMANDS.map((command) => [command.id, command]));
  };
  for (const { command: id } of contributes.commands) {
    const run = async (...args: unknown[]): Promise<void> => {
      try {
        const command = (await (table ??= load())).get(id);
        if (command === undefined) throw new Error(`the command ${id} is not in the table`);
        await selectFocused(args, registration.selections);
        const { targets, argument } = callOf(args, registration.selections);
        await command.run(registration.desk, targets, argument);
      } catch (error) {
        await showError(registration, id, error);
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(id, run));
  }
}

/**
 * A key is about the row with the focus, of which only the editor's list knows: the list selects it, and undoes the
 * unfolding that goes with that. Where several rows are selected the key is about those.
 */
async function selectFocused(
  args: readonly unknown[],
  selections: Registration['selections'],
): Promise<void> {
  const selected = selectedBy(args, selections);
  if (selected === undefined || selected.length > 1) return;
  await vscode.commands.executeCommand('runCommands', {
    commands: ['list.select', 'list.toggleExpand'],
  });
}

/** A cancellation is what the user wanted; everything else is said, with the doctor where the engine cannot run here. */
async function showError(
  { engines, log }: Registration,
  id: string,
  error: unknown,
): Promise<void> {
  if (kindOf(error) === 'cancelled') return;
  log.error(`${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const { entry, state } = engines.active;
  const doctor = vscode.l10n.t('Run Doctor');
  const showLog = vscode.l10n.t('Show Log');
  const aboutEngine =
    kindOf(error) === 'unavailable' && entry.kind === 'pinnace' && state.kind === 'failed';
  const message = capital(say(messageOf(error)));
  const actions = aboutEngine ? [doctor, showLog] : [showLog];
  const chosen = await vscode.window.showErrorMessage(message, ...actions);
  if (chosen === doctor) await vscode.commands.executeCommand('pinnace.doctor');
  if (chosen === showLog) log.show();
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
