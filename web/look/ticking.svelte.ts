/**
 * The time, for countdowns: runs on while the component that made it is there.
 * The clock says what time it is, in ms.
 */
export function ticking(clock: () => number, everyMs = 500): { readonly now: number } {
  let now = $state(clock())
  $effect(() => {
    const timer = setInterval(() => (now = clock()), everyMs)
    return () => clearInterval(timer)
  })
  return {
    get now() {
      return now
    },
  }
}
