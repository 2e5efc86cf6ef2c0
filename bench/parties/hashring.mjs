import HashRing from 'hashring'

export async function openOffline({ servers }) {
  // Its lookup cache would answer instead of the ring. The 3rd-Eden client, its main user, sets the size of no cache either.
  const ring = () => new HashRing(servers, 'md5', { 'max cache size': 1 })
  let placer
  return {
    place: (key) => {
      placer ??= ring()
      return placer.get(key)
    },
    placeName: (key) => ring().get(key),
    ring,
  }
}
