/**
 * From the English that the extension speaks to the user's language. Theory of operation: sentences are written where they
 * are said, with what they are about put in; a translation is looked up by the sentence as it is said, and, when it has
 * something in it, by its form (`Removing {0}`). What was put in is translated too where it is a phrase of its own
 * (`3 containers`), never where it is a single word: that is somebody's name. Pure; without translations it does nothing.
 */

export type Translate = (text: string) => string;

/** From English, with `{0}` where something is put in, to the user's language. */
export type Bundle = Readonly<Record<string, string>>;

interface Form {
  readonly expression: RegExp;
  /** The longest piece between two things that are put in: a text without it cannot be of this form. */
  readonly piece: string;
  /** Letters that are fixed: forms with more of them are tried first. */
  readonly weight: number;
  /** The numbers of the places in their order. */
  readonly places: readonly number[];
  readonly meaning: string;
}

/** Texts whose translation is kept at hand. */
const KEPT = 5000;
/** How deep phrases stand in phrases. */
const DEPTH = 3;

/** A translation for every text; texts that are in no form of the bundle stay as they are. */
export function translator(bundle: Bundle | undefined): Translate {
  if (bundle === undefined) return (text) => text;
  const forms = formsOf(bundle);
  const known = new Map<string, string>();
  const translate = (text: string, depth: number): string => {
    const exact = Object.hasOwn(bundle, text) ? bundle[text] : undefined;
    if (exact !== undefined) return exact;
    const form = forms.find(
      ({ piece, expression }) => text.includes(piece) && expression.test(text),
    );
    return form === undefined ? text : filled(form, text, depth);
  };
  const filled = ({ expression, places, meaning }: Form, text: string, depth: number): string => {
    const values = new Map<number, string>();
    (expression.exec(text) ?? []).slice(1).forEach((value, at) => {
      const isPhrase = value.includes(' ') && depth < DEPTH;
      values.set(places[at] ?? at, isPhrase ? translate(value, depth + 1) : value);
    });
    return meaning.replaceAll(/\{(\d)\}/g, (place, at: string) => values.get(Number(at)) ?? place);
  };
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const now = translate(text, 0);
    if (known.size >= KEPT) known.clear();
    known.set(text, now);
    return now;
  };
}

/** For lines that join facts, `busybox · Up 3 minutes`: each fact by itself. */
export function factByFact(translate: Translate, text: string, between = ' · '): string {
  return text.split(between).map(translate).join(between);
}

/** `{0} containers`: a number stands there, else the form would take the end of any sentence. */
const COUNTED = /^\{0\} \p{L}+$/u;

function formsOf(bundle: Bundle): readonly Form[] {
  const forms = Object.entries(bundle).flatMap(([english, meaning]): Form[] => {
    const pieces = english.split(/\{\d\}/);
    const weight = pieces.join('').trim().length;
    if (pieces.length < 2 || weight < 2) return [];
    const source = pieces.map((piece) => piece.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
    return [
      {
        expression: new RegExp(
          `^${source.join(COUNTED.test(english) ? '(\\d.*?)' : '(.*?)')}$`,
          's',
        ),
        piece: pieces.toSorted((one, other) => other.length - one.length)[0] ?? '',
        weight,
        places: [...english.matchAll(/\{(\d)\}/g)].map(([, place]) => Number(place)),
        meaning,
      },
    ];
  });
  return forms.sort((one, other) => other.weight - one.weight);
}
