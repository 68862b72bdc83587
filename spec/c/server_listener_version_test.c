/* The listener with other versions of libmicrohttpd: what it asks of each, and
 * one that announces a connection in its next run. The functions below stand
 * before the library's own. */
#include "support.h"

#include "peer.h"

#include <dlfcn.h>
#include <microhttpd.h>

enum { NO_THREAD_SAFETY = 1 << 19, CLIENT_DISCIPLINE_LEVEL = 38, QUEUE = 8 };

static const char *version = "0.9.78"; /* has no property that we rely on */
static bool asking; /* start nothing, only note what was asked for */
static bool late;   /* announce connections in the next run */

static unsigned asked_flags;
static struct MHD_OptionItem asked_first;

static struct {
  struct MHD_Daemon *daemon;
  int fd;
  struct sockaddr_storage address;
  socklen_t length;
} queue[QUEUE];
static size_t queued;

typedef enum MHD_Result (*add_function)(struct MHD_Daemon *daemon, int fd,
                                        const struct sockaddr *address,
                                        socklen_t length);
typedef enum MHD_Result (*run_function)(struct MHD_Daemon *daemon);

static void find(const char *name, void *function, size_t size) {
  void *found = dlsym(RTLD_NEXT, name);
  assert_non_null(found);
  memcpy(function, &found, size);
}

const char *MHD_get_version(void) {
  return version;
}

struct MHD_Daemon *MHD_start_daemon(unsigned flags, uint16_t port,
                                    MHD_AcceptPolicyCallback accept,
                                    void *accept_cls,
                                    MHD_AccessHandlerCallback handler,
                                    void *handler_cls, ...) {
  struct MHD_Daemon *daemon = NULL;
  va_list options;
  va_start(options, handler_cls);
  if (asking) {
    asked_flags = flags;
    assert_int_equal(MHD_OPTION_ARRAY, va_arg(options, int));
    asked_first = *va_arg(options, struct MHD_OptionItem *);
  } else {
    daemon = MHD_start_daemon_va(flags, port, accept, accept_cls, handler,
                                 handler_cls, options);
  }
  va_end(options);
  return daemon;
}

enum MHD_Result MHD_add_connection(struct MHD_Daemon *daemon, int fd,
                                   const struct sockaddr *address,
                                   socklen_t length) {
  add_function add;
  find("MHD_add_connection", &add, sizeof add);
  if (!late)
    return add(daemon, fd, address, length);
  assert_true(queued < QUEUE);
  queue[queued].daemon = daemon;
  queue[queued].fd = fd;
  queue[queued].length = length;
  memcpy(&queue[queued].address, address, length);
  queued++;
  return MHD_YES;
}

enum MHD_Result MHD_run(struct MHD_Daemon *daemon) {
  add_function add;
  run_function run;
  find("MHD_add_connection", &add, sizeof add);
  find("MHD_run", &run, sizeof run);
  for (size_t i = 0; i < queued; i++)
    add(queue[i].daemon, queue[i].fd, (struct sockaddr *)&queue[i].address,
        queue[i].length);
  queued = 0;
  return run(daemon);
}

/* --- what is asked for --------------------------------------------------- */

static void ask(const char *loaded) {
  char message[256];
  fh_listener_options options;
  fh_listener_defaults(&options);
  options.port = 0;
  asking = true;
  version = loaded;
  assert_null(fh_listener_new(&options, message, sizeof message));
  asking = false;
}

static void early_versions_get_nothing_that_they_do_not_know(void **state) {
  (void)state;
  static const char *const early[] = {"0.9.70", "0.9.75", "0.9.77", "0.10.0"};
  for (size_t i = 0; i < sizeof early / sizeof *early; i++) {
    ask(early[i]);
    assert_int_equal(0, asked_flags & NO_THREAD_SAFETY);
    assert_int_equal(MHD_OPTION_END, asked_first.option);
  }
}

static void later_versions_are_told_to_be_strict_and_alone(void **state) {
  (void)state;
  static const char *const later[] = {"1.0.0", "1.0.1", "1.0.10", "2.1", "10"};
  for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
    ask(later[i]);
    assert_int_equal(NO_THREAD_SAFETY, asked_flags & NO_THREAD_SAFETY);
    assert_int_equal(CLIENT_DISCIPLINE_LEVEL, (int)asked_first.option);
    assert_int_equal(1, asked_first.value);
  }
}

static void the_numbers_are_those_of_newer_headers(void **state) {
  (void)state;
#if MHD_VERSION >= 0x01000000
  assert_int_equal(MHD_USE_NO_THREAD_SAFETY, NO_THREAD_SAFETY);
  assert_int_equal(MHD_OPTION_CLIENT_DISCIPLINE_LVL, CLIENT_DISCIPLINE_LEVEL);
#endif
}

/* --- connections that are announced late --------------------------------- */

static fh_listener *listen_to(size_t per_address) {
  fh_listener_options options;
  fh_listener_defaults(&options);
  options.port = 0;
  options.per_address = per_address;
  version = "0.9.78";
  return peer_listen(&options);
}

static void expect_served(fh_listener *l) {
  char text[1024];
  fh_exchange request;
  int fd = peer_ask(l, &request);
  assert_int_equal(1, fh_listener_active(l));
  assert_int_equal(FH_REPLY_SENT, fh_exchange_accept(&request));
  assert_false(peer_hear(l, fd, text, sizeof text, "\r\n\r\n{}"));
  close(fd);
  peer_settle(l, 0);
}

/* A library from 1.0 on is thread-safe here, since it is not asked not to be.
 */
static void a_library_of_no_known_version_serves(void **state) {
  (void)state;
  late = false;
  fh_listener *l = listen_to(0);
  expect_served(l);
  fh_listener_free(l);
}

static void a_connection_may_be_announced_in_the_next_run(void **state) {
  (void)state;
  late = true;
  fh_listener *l = listen_to(0);
  expect_served(l);
  expect_served(l);
  fh_listener_free(l);
}

static void a_late_refusal_leaves_the_others(void **state) {
  (void)state;
  char text[1024];
  late = true;
  fh_listener *l = listen_to(1);
  int first = peer_dial(l), second = peer_dial(l);
  assert_true(peer_hear(l, second, text, sizeof text, NULL));
  assert_int_equal(1, fh_listener_active(l));
  close(first);
  close(second);
  peer_settle(l, 0);
  expect_served(l);
  fh_listener_free(l);
}

static void what_waits_in_the_queue_is_taken_in_at_the_end(void **state) {
  (void)state;
  late = true;
  fh_listener *l = listen_to(0);
  int fd = peer_dial(l);
  fh_listener_quiesce(l);
  assert_int_equal(1, fh_listener_active(l));
  peer_end(l, fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(early_versions_get_nothing_that_they_do_not_know),
      cmocka_unit_test(later_versions_are_told_to_be_strict_and_alone),
      cmocka_unit_test(the_numbers_are_those_of_newer_headers),
      cmocka_unit_test(a_library_of_no_known_version_serves),
      cmocka_unit_test(a_connection_may_be_announced_in_the_next_run),
      cmocka_unit_test(a_late_refusal_leaves_the_others),
      cmocka_unit_test(what_waits_in_the_queue_is_taken_in_at_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
