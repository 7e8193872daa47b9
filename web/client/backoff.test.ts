import { describe, expect, it } from 'vitest'
import { retryDelay, whyClosed } from './backoff.js'

describe('retryDelay', () => {
  it.each([4400, 4401, 4403, 4409])('does not come back after %i', (code) => {
    expect(retryDelay(whyClosed(code), 1, () => 0.5)).toBeNull()
  })

  it.each([
    [1006, 1, 500], [1006, 3, 2_000], [1006, 40, 15_000], [4408, 1, 500],
    [4429, 1, 10_000], [4429, 9, 120_000], [4503, 1, 250],
  ])('after %i, attempt %i: around %i ms', (code, attempt, want) => {
    expect(retryDelay(whyClosed(code), attempt, () => 0.5)).toBe(want)
    expect(retryDelay(whyClosed(code), attempt, () => 0)).toBe(want / 2)
    expect(retryDelay(whyClosed(code), attempt, () => 1)).toBe(want * 1.5)
  })
})
