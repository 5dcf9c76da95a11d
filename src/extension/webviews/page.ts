/** The document of a webview: one strict policy with a nonce, styles and scripts only from our own files. Pure text. */

export interface Page {
  readonly title: string;
  /** `webview.cspSource`. */
  readonly source: string;
  readonly nonce: string;
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
  /** Markup that stands in the file; nothing of a container ever goes in here. */
  readonly body: string;
}

export function pageText({ title, source, nonce, styles, scripts, body }: Page): string {
  const policy = [
    "default-src 'none'",
    `style-src ${source}`,
    `script-src 'nonce-${nonce}' ${source}`,
    `font-src ${source}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${escapeText(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
${styles.map((href) => `<link rel="stylesheet" href="${escapeText(href)}">`).join('\n')}
</head>
<body>
${body}
${scripts.map((src) => `<script type="module" nonce="${nonce}" src="${escapeText(src)}"></script>`).join('\n')}
</body>
</html>
`;
}

/** For element content and attributes in double quotes. */
function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
