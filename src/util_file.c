#include "util_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40 }; /* as the kernel has it */

uint64_t fh_file_id(const char *path, unsigned char id[FH_FILE_ID_SIZE]) {
  struct stat found = {0};
  uint64_t parts[2] = {0, 0};
  if (stat(path, &found) == 0) {
    parts[0] = (uint64_t)found.st_dev;
    parts[1] = (uint64_t)found.st_ino;
  }
  memcpy(id, parts, sizeof parts);
  return (uint64_t)found.st_size;
}

size_t fh_file_links(const char *path) {
  struct stat found;
  return stat(path, &found) == 0 ? (size_t)found.st_nlink : 0;
}

/* Adds "/name" to the folder; "/" is none for that. */
static bool append(char folder[FH_PATH_SIZE], const char *name) {
  size_t size = strlen(folder), more = strlen(name);
  if (size == 1)
    size = 0;
  if (more >= FH_PATH_SIZE - size - 1)
    return false;
  folder[size] = '/';
  memcpy(folder + size + 1, name, more + 1);
  return true;
}

static bool resolve(const char *path, char real[FH_PATH_SIZE]) {
  if (realpath(path, real))
    return true;
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  size_t size = (size_t)(name - path);
  char folder[FH_PATH_SIZE] = ".";
  if (size >= sizeof folder)
    return false;
  if (size > 0) {
    memcpy(folder, path, size);
    folder[size] = 0;
  }
  return realpath(folder, real) && append(real, name);
}

/* Goes on from a link to what it names. */
static bool follow(char real[FH_PATH_SIZE], const char *target) {
  char path[FH_PATH_SIZE];
  if (*target == '/')
    return resolve(target, real);
  *strrchr(real, '/') = 0;
  memcpy(path, real, strlen(real) + 1);
  return append(path, target) && resolve(path, real);
}

/* What is still a link then leads to a file that is not there, and whoever
 * opens it makes that one. */
bool fh_real_path(const char *path, char real[FH_PATH_SIZE]) {
  char target[FH_PATH_SIZE];
  if (!resolve(path, real))
    return false;
  for (int links = 0; links < MOST_LINKS; links++) {
    ssize_t size = readlink(real, target, sizeof target);
    if (size < 0)
      return true;
    if ((size_t)size == sizeof target)
      return false;
    target[size] = 0;
    if (!follow(real, target))
      return false;
  }
  return false;
}

static bool fill(int fd, char *bytes, size_t room, size_t *size) {
  *size = 0;
  while (*size < room) {
    ssize_t got = read(fd, bytes + *size, room - *size);
    if (got == 0)
      break;
    if (got > 0)
      *size += (size_t)got;
    else if (errno != EINTR)
      return false;
  }
  return true;
}

bool fh_file_read(const char *path, char *bytes, size_t room, size_t *size,
                  unsigned *mode) {
  struct stat found;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return false;
  bool good = fstat(fd, &found) == 0 && fill(fd, bytes, room, size);
  int failure = errno;
  close(fd);
  errno = failure;
  *mode = good ? found.st_mode & 07777 : 0;
  return good;
}
