// The page's English in the user's language: what the extension has put into the element #words. Nothing there means English.
const bundle = JSON.parse(document.getElementById('words')?.textContent ?? 'null') ?? {};

/** The sentence in the user's language, with the values in the places {0}, {1}. */
export function t(text, ...values) {
  const meaning = Object.hasOwn(bundle, text) ? bundle[text] : text;
  return meaning.replaceAll(/\{(\d)\}/g, (place, at) => String(values[at] ?? place));
}
