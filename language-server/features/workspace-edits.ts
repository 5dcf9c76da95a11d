/** The form in which edits go to the client: with the version that they are made for where it takes one. Pure. */
import type { ClientCapabilities, TextEdit, WorkspaceEdit } from 'vscode-languageserver/node';

export interface Edited {
  readonly uri: string;
  /** Of the text that the edits fit; `null` for a file that is not open; undefined where the client takes no versions. */
  readonly version: number | null | undefined;
}

/** The version to send with edits of a document; undefined for a client that does not say that it takes one. */
export function versionFor(
  { workspace }: ClientCapabilities,
  version: number | null,
): Edited['version'] {
  return workspace?.workspaceEdit?.documentChanges === true ? version : undefined;
}

/** A client refuses edits of a version that its document no longer has, instead of spoiling it (LSP, "WorkspaceEdit"). */
export function workspaceEditOf({ uri, version }: Edited, edits: TextEdit[]): WorkspaceEdit {
  return version === undefined
    ? { changes: { [uri]: edits } }
    : { documentChanges: [{ textDocument: { uri, version }, edits }] };
}
