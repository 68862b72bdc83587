#include "file.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

void fh_file_id(const char *path, unsigned char id[FH_FILE_ID_SIZE]) {
  struct stat found;
  uint64_t parts[2] = {0, 0};
  if (stat(path, &found) == 0) {
    parts[0] = (uint64_t)found.st_dev;
    parts[1] = (uint64_t)found.st_ino;
  }
  memcpy(id, parts, sizeof parts);
}
