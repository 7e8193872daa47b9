import { closeCodes } from './messages.js'
import type { GoneWhy } from './state.js'

/** Why a close code ends the connection. */
export function whyClosed(code: number): GoneWhy {
  switch (code) {
    case closeCodes.notTheProtocol: return 'protocol'
    case closeCodes.notAuthenticated: return 'not_authenticated'
    case closeCodes.originNotAllowed: return 'origin'
    case closeCodes.takenOver: return 'taken_over'
    case closeCodes.tooMany: return 'too_many'
    case closeCodes.goingAway: return 'going_away'
    default: return 'lost'
  }
}

// Milliseconds: the first delay and the longest.
const usual = { first: 500, longest: 15_000 }
const crowded = { first: 10_000, longest: 120_000 }
const restart = { first: 250, longest: 15_000 }

/**
 * How long to wait before the attempt (1 is the first), in ms, or null: do not
 * try again by itself. It doubles, give or take half by chance, so that all the
 * browsers of a server that restarts do not come back at the same moment.
 */
export function retryDelay(why: GoneWhy, attempt: number, random: () => number): number | null {
  switch (why) {
    case 'taken_over':
    case 'not_authenticated':
    case 'origin':
    case 'protocol':
      return null
    case 'lost': return jittered(usual, attempt, random)
    case 'going_away': return jittered(restart, attempt, random)
    case 'too_many': return jittered(crowded, attempt, random)
  }
}

function jittered(range: { first: number; longest: number }, attempt: number, random: () => number): number {
  const most = Math.min(range.longest, range.first * 2 ** (attempt - 1))
  return Math.round(most * (0.5 + random()))
}
