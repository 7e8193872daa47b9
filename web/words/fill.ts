/** What is put into a text. */
export type Values = Record<string, string | number>

/**
 * Fills {name}, and chooses {n|one|many} by the number n; what is chosen may
 * hold names again. Numbers are written by write. An unknown name stays as it is, so that it is seen.
 */
export function fill(template: string, values: Values = {}, write: (n: number) => string = String): string {
  const chosen = template.replace(/\{(\w+)\|((?:[^{}|]|\{\w+\})*)\|((?:[^{}|]|\{\w+\})*)\}/g,
    (_, name: string, one: string, many: string) => (values[name] === 1 ? one : many))
  return chosen.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name] ?? whole
    return typeof value === 'number' ? write(value) : value
  })
}

/** The names that a text wants. */
export function namesIn(template: string): string[] {
  return [...new Set([...template.matchAll(/\{(\w+)/g)].map((m) => m[1] ?? ''))].sort()
}
