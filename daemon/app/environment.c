#include "app/environment.h"

#include <stdlib.h>

void environment_read(struct config_environment *environment)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

    *environment = (struct config_environment){
        .state_directory = getenv("STATE_DIRECTORY"),
        .runtime_directory = getenv("RUNTIME_DIRECTORY"),
        .now = time_wall(),
    };
    for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
        if (getenv(proxies[i]))
            environment->proxy_variables_set = true;
}
