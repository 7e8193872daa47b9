import { afterEach, expect, it, vi } from 'vitest'
import { jpeg } from './decoder.js'

const info = { mime: 'image/jpeg', codec: 'mjpeg', width: 2, height: 2, rate: 30, audio: false }

afterEach(() => vi.unstubAllGlobals())

it('shows the newest frame and drops those that came meanwhile', async () => {
  const waiting: ((ok: boolean) => void)[] = []
  vi.stubGlobal('createImageBitmap', () => new Promise((resolve, reject) => {
    waiting.push((ok) => ok ? resolve({ width: 2, height: 2, close: () => undefined }) : reject(new Error('broken')))
  }))
  const drawImage = vi.fn()
  const canvas = { width: 0, height: 0, getContext: () => ({ drawImage }) } as unknown as HTMLCanvasElement
  const d = jpeg.make(canvas, info)
  for (let i = 0; i < 5; i++) d.push(new ArrayBuffer(1))
  waiting[0]?.(true)
  await vi.waitFor(() => expect(waiting).toHaveLength(2)) // the first and the newest
  waiting[1]?.(false)
  await vi.waitFor(() => expect(d.figures).toEqual({ framesShown: 1, framesDropped: 4 }))
  expect(drawImage).toHaveBeenCalledOnce()
  expect(canvas.width).toBe(2)
})
