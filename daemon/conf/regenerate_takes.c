#include "conf/config.h"
#include "proto/two_key/two_key.h"

duration_ms config_type_takes(const struct config *config, const struct two_key_resource *type)
{
    return type->slow_for > 0 && config->operation_wait > 0 ? config->operation_wait
                                                            : type->slow_for;
}

duration_ms config_regenerate_takes(const struct config *config, const char *account_id)
{
    return config_type_takes(config, two_key_resource_find(account_id));
}
