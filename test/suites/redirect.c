/* Preloaded into the suites' processes: connections to 127.0.0.1:11211, which suites have written into them, go to MEMSHIM_SUITES_PORT. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef int (*connect_function)(int, const struct sockaddr *, socklen_t);

int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
  connect_function original = (connect_function)dlsym(RTLD_NEXT, "connect");
  const char *port = getenv("MEMSHIM_SUITES_PORT");
  struct sockaddr_in target;
  if (port == NULL || address->sa_family != AF_INET || length < sizeof target) return original(descriptor, address, length);
  memcpy(&target, address, sizeof target);
  if (target.sin_port == htons(11211) && target.sin_addr.s_addr == htonl(INADDR_LOOPBACK)) target.sin_port = htons((unsigned short)atoi(port));
  return original(descriptor, (struct sockaddr *)&target, sizeof target);
}
