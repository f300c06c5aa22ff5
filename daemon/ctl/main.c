#include "ctl/options.h"

#include <signal.h>
#include <stdio.h>

#include <curl/curl.h>

int main(int argc, char **argv)
{
    struct ctl_options options;
    enum ctl_exit result = ctl_options_parse(argc, argv, time_wall(), &options);

    if (result != CTL_DONE || !options.command) {
        ctl_complaint_print();
        return (int)result;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK) {
        (void)ctl_complain(CTL_UNREACHABLE, "libcurl cannot be used");
        ctl_complaint_print();
        return CTL_UNREACHABLE;
    }
    result = options.command->run(&options);
    curl_global_cleanup();
    ctl_complaint_print();
    if ((fflush(stdout) != 0 || ferror(stdout)) && result == CTL_DONE)
        return CTL_NOT_DONE; /* nobody got to read it */
    return (int)result;
}
