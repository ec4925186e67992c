// A disk that fails at the FAIL_AT-th operation FAIL_OP (write, sync, open) on a file of LevelDB below FAIL_DIR, and at
// FAIL_TIMES - 1 more after it. FAIL_HOW: enospc, eio, or short (half of the bytes are written, then ENOSPC).
// Loaded with LD_PRELOAD; LevelDB 1.20 writes through stdio.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count;

static int below(const char *path) {
  const char *directory = getenv("FAIL_DIR");
  return directory && !strncmp(path, directory, strlen(directory)) && !strstr(path, "/LOG");
}

static int ours(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return below(path);
}

static int fails(const char *operation) {
  if (strcmp(getenv("FAIL_OP"), operation)) return 0;
  int number = __sync_add_and_fetch(&count, 1), at = atoi(getenv("FAIL_AT"));
  if (number < at || number >= at + atoi(getenv("FAIL_TIMES"))) return 0;
  errno = strcmp(getenv("FAIL_HOW"), "eio") ? ENOSPC : EIO;
  return 1;
}

size_t fwrite_unlocked(const void *data, size_t size, size_t n, FILE *file) {
  size_t (*real)(const void *, size_t, size_t, FILE *) = dlsym(RTLD_NEXT, "fwrite_unlocked");
  if (!ours(fileno(file)) || !fails("write")) return real(data, size, n, file);
  int reason = errno;
  size_t written = strcmp(getenv("FAIL_HOW"), "short") ? 0 : real(data, 1, size * n / 2, file);
  fflush(file);
  errno = reason;
  return written / size;
}

int fdatasync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
  return ours(fd) && fails("sync") ? -1 : real(fd);
}

FILE *fopen64(const char *path, const char *mode) {
  FILE *(*real)(const char *, const char *) = dlsym(RTLD_NEXT, "fopen64");
  return *mode == 'w' && below(path) && fails("open") ? NULL : real(path, mode);
}
