/* Which file a path leads to: its device and number, which no other file has
 * for as long as somebody has it open. */
#ifndef FH_FILE_H
#define FH_FILE_H

enum { FH_FILE_ID_SIZE = 16 };

/* Writes the identity; zeros where the path leads to nothing. */
void fh_file_id(const char *path, unsigned char id[FH_FILE_ID_SIZE]);

#endif
