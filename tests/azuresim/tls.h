/* A certificate authority that lives as long as the process, and the server's certificate signed by
 * it. Clients check both as strictly as they check Azure's. */
#ifndef AZURESIM_TLS_H
#define AZURESIM_TLS_H

#include <stdbool.h>

struct tls_identity {
    char *ca_pem;     /* the authority's certificate */
    char *server_pem; /* the server's certificate */
    char *key_pem;    /* the server's private key; never written to disk */
};

/* Makes authority and certificate. Returns false, with the reason on stderr, where libcrypto
 * cannot; tls_identity_done() is due in any case. */
bool tls_identity_init(struct tls_identity *identity);

void tls_identity_done(struct tls_identity *identity);

#endif
