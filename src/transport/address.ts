/** The address of a server. Both clients parse their own grammar into this shape. */
export type ServerAddress =
  | { readonly transport: 'tcp'; readonly host: string; readonly port: number; readonly family?: 4 | 6 }
  | { readonly transport: 'unix'; readonly path: string }

/** `host:port`, `[v6]:port` or the socket path: the name of a server in errors and events. */
export function addressName(address: ServerAddress): string {
  if (address.transport === 'unix') return address.path
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** Host and port for hashing and libmemcached: a Unix socket is its path with port 0. */
export function hostAndPort(address: ServerAddress): { readonly host: string; readonly port: number } {
  return address.transport === 'unix'
    ? { host: address.path, port: 0 }
    : { host: address.host, port: address.port }
}
