/** Container names: Docker's rule, and random ones of two words. Pure but for the randomness that is passed in. */

import { EngineError } from '../../../lib/errors.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

const MOODS = (
  'able airy alert amber apt ardent bold brave breezy bright brisk calm candid careful cheery civil clear clever ' +
  'cosy crisp curious dapper daring deft eager earnest easy elated fair fleet fond frank fresh gentle glad golden ' +
  'grand handy happy hardy hearty honest humble jolly jovial keen kind lively loyal lucid lucky mellow merry mild ' +
  'modest neat nimble noble patient placid plucky polite proud quick quiet ready robust sage sharp sincere sleek ' +
  'snug sober spry steady stout sunny sure swift tidy trim trusty upbeat vivid warm wise witty zesty'
).split(' ');

const THINGS = (
  'anchor ballast barque beacon bight binnacle boom bosun bow brig buoy cape capstan caravel cleat clipper cog ' +
  'compass cove cutter davit deck dhow dinghy dory ebb estuary fathom felucca ferry fjord foresail frigate galleon ' +
  'galley gig gull gunwale harbour hawser helm hull inlet islet jetty jib junk keel ketch knot lagoon lantern ' +
  'lateen launch ledge lighthouse locker longboat lugger mainsail marina mast mooring oar osprey outrigger paddle ' +
  'pennant petrel pier pilot pinnace pontoon port prow quay raft reef rigging rope rudder sail schooner seagull ' +
  'sextant shoal skiff skipper sloop spar spinnaker starboard stern strait tender tern tide tiller topsail trawler ' +
  'tug wake wharf wherry winch windlass yacht yawl'
).split(' ');

/** The name without its slash. Throws `invalid` in Docker's words. */
export function checkName(name: string): string {
  const bare = name.replace(/^\//, '');
  if (!NAME.test(bare)) {
    throw new EngineError(
      'invalid',
      `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
  return bare;
}

/** `brave_sloop`; after some taken ones with a number. `random` answers 0 ≤ n < limit. */
export function randomName(
  isTaken: (name: string) => boolean,
  random: (limit: number) => number,
): string {
  for (let attempt = 0; ; attempt++) {
    const words = `${MOODS[random(MOODS.length)] ?? 'calm'}_${THINGS[random(THINGS.length)] ?? 'sloop'}`;
    const name = attempt < 6 ? words : `${words}${String(random(10 ** Math.min(attempt - 5, 9)))}`;
    if (!isTaken(name)) return name;
  }
}
