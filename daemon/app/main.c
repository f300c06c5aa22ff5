#include "app/options.h"

int main(int argc, char **argv)
{
    struct options options;
    int status;

    if (!options_parse(argc, argv, &options, &status))
        return status;
    return options.check ? check_run(&options) : daemon_run(&options);
}
