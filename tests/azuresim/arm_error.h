/* Errors in the shape of Resource Manager. */
#ifndef AZURESIM_ARM_ERROR_H
#define AZURESIM_ARM_ERROR_H

#include "http.h"

/* A CloudError: {"error":{"code","message"}}. */
void arm_error(struct http_reply *reply, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
