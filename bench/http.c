/* The plain C program that bench/http.sh compares with: `width` transfers at
 * once over libcurl's multi interface, each started again when it ends, for
 * `seconds`. Handles are reused; each call sets its own URL and headers, as
 * calls to an API do. With a fifth argument a call is the one before again, as
 * only a benchmark's are. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_WIDTH = 256, MAX_BODY = 65536, MAX_URL = 256 };

typedef struct transfer {
  CURL *easy;
  struct curl_slist *headers;
  char body[MAX_BODY];
  size_t size;
} transfer;

static size_t collect(char *data, size_t one, size_t size, void *owner) {
  transfer *self = owner;
  (void)one;
  if (size > MAX_BODY - self->size)
    return 0;
  memcpy(self->body + self->size, data, size);
  self->size += size;
  return size;
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static const char *base;
static long number; /* of the call */

static void set_call(transfer *self) {
  static const char *const lines[] = {
      "Accept: application/json",
      "Authorization: Basic QUM6dG9rZW4=", "Accept-Encoding: identity"};
  char url[MAX_URL];
  snprintf(url, sizeof url, "%s/%ld", base, number++);
  curl_easy_setopt(self->easy, CURLOPT_URL, url);
  curl_slist_free_all(self->headers);
  self->headers = NULL;
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    self->headers = curl_slist_append(self->headers, lines[i]);
  curl_easy_setopt(self->easy, CURLOPT_HTTPHEADER, self->headers);
}

static void prepare(transfer *self) {
  self->easy = curl_easy_init();
  set_call(self);
  curl_easy_setopt(self->easy, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(self->easy, CURLOPT_WRITEDATA, self);
  curl_easy_setopt(self->easy, CURLOPT_PRIVATE, self);
  curl_easy_setopt(self->easy, CURLOPT_TIMEOUT, 30L);
  curl_easy_setopt(self->easy, CURLOPT_NOSIGNAL, 1L);
}

/* Counts what ended well and starts it again. */
static long restart(CURLM *multi, int anew) {
  long done = 0;
  int left;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left))) {
    transfer *self;
    CURL *easy = message->easy_handle;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&self);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (message->data.result != CURLE_OK || status != 200) {
      fprintf(stderr, "transfer failed: %ld\n", status);
      exit(1);
    }
    done++;
    self->size = 0;
    curl_multi_remove_handle(multi, easy);
    if (anew)
      set_call(self);
    curl_multi_add_handle(multi, easy);
  }
  return done;
}

int main(int argc, char **argv) {
  if (argc != 4 && argc != 5)
    return 2;
  double seconds = strtod(argv[1], NULL);
  int width = (int)strtol(argv[2], NULL, 10);
  int anew = argc == 4;
  if (width < 1 || width > MAX_WIDTH)
    return 2;
  base = argv[3];
  CURLM *multi = curl_multi_init();
  transfer *transfers = calloc((size_t)width, sizeof *transfers);
  for (int i = 0; i < width; i++) {
    prepare(&transfers[i]);
    curl_multi_add_handle(multi, transfers[i].easy);
  }
  long done = 0;
  double begun = now(), took;
  do {
    int running;
    curl_multi_perform(multi, &running);
    done += restart(multi, anew);
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
    took = now() - begun;
  } while (took < seconds);
  printf("32 calls at once\tC %s\t%.0f\tcalls/s\n",
         anew ? "on curl multi" : "that repeats one call",
         (double)done / took);
  return 0;
}
