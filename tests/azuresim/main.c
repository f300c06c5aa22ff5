/* azuresim: a stand-in on loopback for the parts of Azure that a key rotation daemon talks to. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "memory.h"
#include "options.h"
#include "server.h"
#include "sim.h"
#include "tls.h"

/* Writes TEXT to DIR/NAME so that a reader sees all of it or nothing. */
static bool write_file(const char *dir, const char *name, const char *text)
{
    char *path = memory_printf("%s/%s", dir, name);
    char *temporary = memory_printf("%s/.%s.new", dir, name);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    written = written && rename(temporary, path) == 0;
    if (!written)
        fprintf(stderr, "azuresim: %s: %s\n", path, strerror(errno));
    free(path);
    free(temporary);
    return written;
}

/* Writes the ports and places of this process for its users. */
static bool announce(const struct sim *sim)
{
    struct json_object *where = json_object_new_object();
    char *url = memory_printf("https://localhost:%u", sim->port);
    char *imds_url = memory_printf("http://127.0.0.1:%u", sim->imds_port);
    char *dir = realpath(sim->options.dir, NULL);
    char *ca_file = memory_printf("%s/ca.pem", !dir ? sim->options.dir : dir);
    bool written;

    json_object_object_add(where, "pid", json_object_new_int(getpid()));
    json_object_object_add(where, "port", json_object_new_int(sim->port));
    json_add_text(where, "url", url);
    json_object_object_add(where, "imds_port", json_object_new_int(sim->imds_port));
    json_add_text(where, "imds_url", imds_url);
    json_object_object_add(where, "redis_port", json_object_new_int(sim->redis_port));
    json_add_text(where, "ca_file", ca_file);
    written = write_file(sim->options.dir, "azuresim.json",
                         json_object_to_json_string_ext(where, JSON_C_TO_STRING_PLAIN |
                                                                   JSON_C_TO_STRING_NOSLASHESCAPE));
    if (written)
        printf("azuresim: %s, IMDS %s, CA %s\n", url, imds_url, ca_file);
    fflush(stdout);
    json_object_put(where);
    free(url);
    free(imds_url);
    free(dir);
    free(ca_file);
    return written;
}

/* Serves until a signal comes. Returns false where it could not start. */
static bool run(struct sim *sim, const struct tls_identity *identity, const sigset_t *signals)
{
    struct server *server = server_new(sim, identity);
    bool ready = server && announce(sim);
    int signal_number;

    if (ready)
        sigwait(signals, &signal_number);
    eventfd_write(sim->stop_fd, 1);
    server_free(server);
    return ready;
}

int main(int argc, char **argv)
{
    struct tls_identity identity = {0};
    struct options options;
    struct sim sim;
    sigset_t signals;
    bool served;
    int status;

    if (!options_parse(&options, argc, argv, &status))
        return status;
    /* Blocked before the first thread starts, so that all threads inherit it. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    served = sim_init(&sim, &options) && tls_identity_init(&identity) &&
             write_file(options.dir, "ca.pem", identity.ca_pem) && run(&sim, &identity, &signals);
    tls_identity_done(&identity);
    sim_done(&sim);
    return served ? 0 : 1;
}
