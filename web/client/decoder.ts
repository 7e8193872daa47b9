// What turns the chunks of a stream into pictures. A decoder for H.264 by
// WebCodecs or MSE fits the same interface; today's streams are JPEG frames.
import type { StreamInfo } from './messages.js'

/** What a decoder has done since it was made. */
export interface Figures {
  framesShown: number
  framesDropped: number
}

/** Draws one stream. Chunks come in order, from a key chunk on. */
export interface Decoder {
  readonly figures: Figures
  push(chunk: ArrayBuffer): void
  close(): void
}

/** Makes decoders for the streams it knows. */
export interface DecoderKind {
  supports(info: StreamInfo): boolean
  make(canvas: HTMLCanvasElement, info: StreamInfo): Decoder
}

/** JPEG frames: each stands for itself, so a late one is dropped for a newer. */
export const jpeg: DecoderKind = {
  supports: (info) => info.mime === 'image/jpeg',
  make: (canvas) => new JpegDecoder(canvas),
}

class JpegDecoder implements Decoder {
  readonly figures: Figures = { framesShown: 0, framesDropped: 0 }
  readonly #canvas: HTMLCanvasElement
  #next: ArrayBuffer | null = null
  #busy = false
  #closed = false

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas
  }

  push(chunk: ArrayBuffer): void {
    if (this.#next) this.figures.framesDropped += 1
    this.#next = chunk
    if (!this.#busy) void this.#work()
  }

  close(): void {
    this.#closed = true
    this.#next = null
  }

  async #work(): Promise<void> {
    this.#busy = true
    while (this.#next) {
      const chunk = this.#next
      this.#next = null
      await this.#show(chunk)
    }
    this.#busy = false
  }

  async #show(chunk: ArrayBuffer): Promise<void> {
    try {
      const picture = await createImageBitmap(new Blob([chunk], { type: 'image/jpeg' }))
      if (!this.#closed) draw(this.#canvas, picture)
      picture.close()
      this.figures.framesShown += 1
    } catch {
      this.figures.framesDropped += 1 // broken on the way; the next one stands for itself
    }
  }
}

function draw(canvas: HTMLCanvasElement, picture: ImageBitmap): void {
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width
    canvas.height = picture.height
  }
  canvas.getContext('2d', { alpha: false })?.drawImage(picture, 0, 0)
}
