/** What a test outside and the suite inside the extension host call the same. Imports nothing: both sides read it. */

/** Names the suites that are to run, with commas between them; without it all that need nothing from outside. */
export const SUITES_VARIABLE = 'PINNACE_HOST_SUITES';

/** The socket of the gates at which the scale suite waits. */
export const GATES_VARIABLE = 'PINNACE_SCALE_GATES';

/** What a line of the log with a figure begins with. */
export const FIGURE = 'pause ';

/** The stretches of the scale suite, in their order: the gate of that name ends each. */
export const STRETCHES = ['started', 'filled', 'changed', 'scrolled'] as const;
