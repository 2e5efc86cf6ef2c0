// Keys and values of the rows. Every value differs from every other, so that a reply to the wrong key is noticed.

export function keys(count) {
  return Array.from({ length: count }, (_, i) => `bench:item:${String(i).padStart(8, '0')}`)
}

function text(index, size) {
  const head = `${index}:`
  return (
    head + 'The quick brown fox jumps over the lazy dog. '.repeat(size / 45 + 1).slice(0, size - head.length)
  )
}

/** Bytes that are not valid UTF-8, so that a client that goes through text is noticed. */
function bytes(index, size) {
  const data = Buffer.alloc(size)
  for (let i = 0; i < size; i++) data[i] = (i * 7 + index) & 0xff
  data.writeUInt32BE(index, 0)
  data[4] = 0xff
  return data
}

export const material = { text, bytes }
