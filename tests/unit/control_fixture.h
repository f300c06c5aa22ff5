/*
 * For tests of the control socket: a fake engine behind a real server, and clients for it.
 *
 * The server runs in the test's thread; a client runs in a second one, with curl or with a bare
 * socket, and the test ends its loop when the client is done.
 */
#ifndef KEYROTATED_TESTS_CONTROL_FIXTURE_H
#define KEYROTATED_TESTS_CONTROL_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <curl/curl.h>

#include "io/server/control.h"

struct control_fixture {
    char directory[64];
    char path[96];
    struct loop *loop;
    struct control *control;
    struct control_limits limits;

    /* what the fake engine saw, and how it is to behave */
    unsigned questions;
    unsigned commands;
    const char *question;
    char names[256];
    struct control_command last;
    char last_texts[512];     /* account|actor|target|active|reason */
    duration_ms answer_after; /* 0: inside the call; -1: never, until released */
    struct control_request *waiting;
    bool waits_for_document;         /* it is a question */
    struct control_query last_query; /* of that question, whose texts live as long as it waits */
    bool answer_fails;
    struct timer answer_timer;
    bool answer_timer_in_use;

    void (*client)(struct control_fixture *fixture);
    pthread_t thread;
    struct timer watch;
    atomic_bool client_done;
    bool watch_closed;
    bool closed;
    bool close_begun;
    atomic_bool close_wanted;
};

struct reply {
    CURLcode result;
    long status;
    char text[4096];
};

int control_fixture_set_up(void **state);
int control_fixture_tear_down(void **state);

struct control_handler control_fixture_handler(struct control_fixture *fixture);

/* Answers what waits. */
void control_fixture_answer(struct control_fixture *fixture);

/* Serves until the client is done, then closes. */
void control_fixture_serve(struct control_fixture *fixture,
                           void (*client)(struct control_fixture *));

/* For the clients. `body` NULL: GET; `method` NULL: GET or POST. */
struct reply control_fixture_fetch(struct control_fixture *fixture, const char *path,
                                   const char *body, const char *method);
/* A connected socket, or -1. */
int control_fixture_connect(struct control_fixture *fixture);

#endif
