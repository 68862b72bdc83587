/* One connection of a listener and the request under way on it: its phase and
 * deadline, and libmicrohttpd's callbacks, which collect. Shared by
 * the files of server_ alone; a connection belongs to
 * libmicrohttpd's connection, which frees it when the socket is closed. */
#ifndef FH_SERVER_CONNECTION_H
#define FH_SERVER_CONNECTION_H

#include <microhttpd.h>
#include <sys/types.h>

#include "util_buffer.h"
#include "server_legacy.h"
#include "server_listener.h"

#define FH_LINGER_TIME 2.0 /* seconds */

enum {
  FH_REFUSALS = 7,     /* statuses that we refuse with */
  FH_POOL = 48 * 1024, /* bytes of libmicrohttpd for one connection's head */
};

/* What a connection is doing. Each phase has one duration, so the connections
 * in it stand in the order of their deadlines. */
typedef enum fh_phase {
  FH_HEADERS,   /* the head is coming */
  FH_BODY,      /* checked for its rate at every deadline */
  FH_WAITING,   /* for the owner's answer */
  FH_SENDING,   /* the answer */
  FH_IDLE,      /* between requests */
  FH_LINGERING, /* refused; reading on so that the peer sees why */
  FH_PHASES,
} fh_phase;

typedef struct fh_connection fh_connection;

typedef struct fh_phase_list {
  fh_connection *first;
  fh_connection *last;
  double duration;
} fh_phase_list;

struct fh_connection {
  fh_listener *listener;
  struct MHD_Connection *mhd;
  int fd;
  fh_phase phase;
  double deadline;
  double began; /* the body, or lingering */
  fh_connection *before;
  fh_connection *after;

  fh_connection *next_arriving;

  /* the request under way */
  fh_connection *next_ended; /* among those whose peer sends no more */
  bool ended;
  fh_connection *next_ready;
  fh_exchange *link;
  struct MHD_Response *response;
  const char *method;
  fh_buffer target;
  fh_buffer body;
  fh_head head;
  size_t received; /* bytes of the body, kept or dropped */
  size_t pieces;
  unsigned status; /* of the answer; 0: none yet */
  unsigned turn;   /* of the listener, when the request was complete */
  bool begun;
  bool complete;
  bool ready; /* among the listener's ready ones */
  bool suspended;
  bool held; /* suspended, and its socket is ours */
  bool refused;
  bool dropped; /* by us */
  bool closes;  /* libmicrohttpd ends the connection behind the last answer */
  fh_legacy legacy;
  uint64_t stream; /* bytes accounted for, with such a library */
  fh_slice headers[];
};

struct fh_listener {
  struct MHD_Daemon *daemon;
  int epoll;
  int socket; /* -1: no longer listening */
  pid_t process;
  unsigned port;
  unsigned turn;
  bool inherited;
  bool legacy; /* the library is one of server_legacy.h */
  bool quiet;  /* quiesced */
  bool closing;
  bool resumed; /* a connection waits for libmicrohttpd's next run */
  double now;
  double accept_again; /* 0: accepting */
  size_t active;
  size_t progress; /* grows with everything that happens */
  size_t ready_count;
  fh_connection *ready_first;
  fh_connection *ready_last;
  fh_connection *arriving; /* accepted, and not yet announced */
  fh_connection *ended;
  fh_phase_list lines[FH_PHASES];
  size_t refused[FH_REFUSALS];
  struct MHD_Response *accepted;
  struct MHD_Response *accepted_last; /* says "connection: close" */
  fh_listener_options options;
  fh_slice *names; /* of the headers to keep; owned */
  char *scratch;   /* FH_POOL bytes, once they are needed; owned */
};

/* Ends the stream, which makes libmicrohttpd close the connection. */
void fh_connection_drop(fh_connection *c);

/* Answers with this status and no more, and ends the connection once the peer
 * has had time to read it. */
void fh_connection_refuse(fh_connection *c, unsigned status);

/* Takes the socket from libmicrohttpd and asks the set for `events` of it;
 * gives it back. */
void fh_connection_hold(fh_connection *c, uint32_t events);
void fh_connection_release(fh_connection *c);

/* The request has come whole, and not through libmicrohttpd. */
void fh_connection_complete(fh_connection *c);

/* FH_POOL bytes for any use; NULL without memory. */
char *fh_connection_scratch(fh_connection *c);

/* Acts on events of the set. That the peer has shut its side down is noted:
 * libmicrohttpd, which asks only for edges, misses that if it came together
 * with the last bytes. */
void fh_connection_event(fh_connection *c, uint32_t events);

/* Ends the connection if its peer's last byte has been read and there is no
 * request to answer. To be called after libmicrohttpd had its turn. */
void fh_connection_close_ended(fh_connection *c);

/* Answers the request under way and cuts its link. Takes the response over;
 * NULL is an empty one. It leaves with the handler's next call, which a
 * suspended connection gets by being resumed. */
void fh_connection_reply(fh_connection *c, unsigned status,
                         struct MHD_Response *response);

/* Acts on the connection's deadline, which has passed. */
void fh_connection_expired(fh_connection *c);

/* The callbacks of libmicrohttpd; `cls` is the listener. */
enum MHD_Result fh_on_request(void *cls, struct MHD_Connection *mhd,
                              const char *url, const char *method,
                              const char *version, const char *data,
                              size_t *size, void **context);
void *fh_on_line(void *cls, const char *uri, struct MHD_Connection *mhd);
size_t fh_on_escape(void *cls, struct MHD_Connection *mhd, char *text);
void fh_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                     enum MHD_RequestTerminationCode code);
void fh_on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                      enum MHD_ConnectionNotificationCode code);

#endif
