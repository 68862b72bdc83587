/* Which file a path leads to, whatever it is called, and what a small one
 * holds. */
#ifndef FH_UTIL_FILE_H
#define FH_UTIL_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FH_FILE_ID_SIZE = 16, FH_PATH_SIZE = PATH_MAX };

/* Writes the file's device and number, which no other file has while any
 * process has it open. Returns its size in bytes. All are zeros if there is no
 * file. */
uint64_t fh_file_id(const char *path, unsigned char id[FH_FILE_ID_SIZE]);

/* Returns how many names (hard links) the file has; 0 if there is no file. */
size_t fh_file_links(const char *path);

/* Writes the one name that has no symbolic links in it, also of a file that is
 * not there yet. False where there is none. */
bool fh_real_path(const char *path, char real[FH_PATH_SIZE]);

/* Reads at most `room` bytes into `bytes` and sets `size`. `mode` gets the
 * permission bits of the file that was read, whatever the path leads to by
 * now. False with errno if the file cannot be read. */
bool fh_file_read(const char *path, char *bytes, size_t room, size_t *size,
                  unsigned *mode);

#endif
