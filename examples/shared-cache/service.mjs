// The same service on Node, written against whatever client it is given: compat, migrating or strict.

function database(product) {
  return { product, cents: 100 * product.length, tags: ['new'] }
}

export async function price(cache, product) {
  const key = `price:${product}`
  const found = await cache.get(key)
  if (found !== null && found !== undefined) return found
  const fresh = database(product)
  await cache.set(key, fresh, { time: 60 })
  await countMiss(cache)
  return fresh
}

// Works with every setting: None from python-memcached, NotFound from pylibmc.
async function countMiss(cache) {
  const counted = await cache.incr('misses').catch((error) => {
    if (error.name === 'NotFound') return null
    throw error
  })
  if (counted === null || counted === undefined) await cache.add('misses', 1)
}
