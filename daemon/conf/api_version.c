#include "conf/config.h"
#include "proto/two_key/two_key.h"

const char *config_api_version(const struct config *config, const struct two_key_resource *type)
{
    const struct two_key_resource *first = two_key_pair_at(type, 0);

    for (size_t i = 0; config->api_versions && two_key_resource_at(i); i++)
        if (two_key_resource_at(i) == first && config->api_versions[i])
            return config->api_versions[i];
    return type->api_version;
}
