/* The memory that libcurl works in, and what it is given to send, wiped when
 * it is given back: requests carry credentials and answers carry tokens.
 *
 * libcurl takes and gives back the same forty blocks with each request. Each
 * thread keeps some of those that it gave back, wiped, for the next. */
#ifndef FH_HTTP_ALLOC_H
#define FH_HTTP_ALLOC_H

#include <stddef.h>

/* Once, before the others are in use: without it nothing is kept. */
void fh_wiped_init(void);

/* In the place of the C library's functions, for curl_global_init_mem. They
 * and the C library's take each other's blocks. */
void *fh_wiped_malloc(size_t size);
void *fh_wiped_calloc(size_t count, size_t size);
void *fh_wiped_realloc(void *old, size_t size);
char *fh_wiped_strdup(const char *text);
void fh_wiped_free(void *block);

#endif
