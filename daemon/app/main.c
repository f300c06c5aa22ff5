#include "app/options.h"
#include "app/role.h"

int main(int argc, char **argv)
{
    struct options options;
    int status;

    if (!options_parse(argc, argv, &options, &status))
        return status;
    if (options.print_role)
        return role_run(&options);
    return options.check ? check_run(&options) : daemon_run(&options);
}
