#include <errno.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/identify.h"
#include "proto/key_text.h"

/* The key, and a line end. */
enum { INPUT_MAX = KEY_TEXT_MAX + 2, SIGNALS = 4 };

static const int signals[SIGNALS] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

/* A terminal that shows nothing of what is typed; a signal ends the reading, and takes effect when
 * the terminal is as it was. */
struct hidden {
    bool is_terminal;
    struct termios before;
    struct sigaction actions[SIGNALS];
};

static void hide(struct hidden *hidden)
{
    const struct sigaction action = {.sa_handler = on_signal};
    struct termios silent;

    hidden->is_terminal = tcgetattr(STDIN_FILENO, &hidden->before) == 0;
    if (!hidden->is_terminal)
        return;
    for (size_t i = 0; i < SIGNALS; i++)
        (void)sigaction(signals[i], &action, &hidden->actions[i]);
    silent = hidden->before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fputs("Paste the key, and press Enter (it is not shown): ", stderr);
}

static void show(const struct hidden *hidden)
{
    if (!hidden->is_terminal)
        return;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden->before);
    fputs("\n", stderr);
    for (size_t i = 0; i < SIGNALS; i++)
        (void)sigaction(signals[i], &hidden->actions[i], NULL);
    if (caught)
        (void)raise((int)caught);
}

static bool ends_line(const struct buf *text)
{
    return text->length > 0 && text->data[text->length - 1] == '\n';
}

/* Until the end of the input, of a terminal's line, or of what may be a key. Returns 0 or
 * -errno. */
static int read_input(struct buf *text, bool one_line)
{
    char piece[512];
    int rc = 0;

    while (text->length <= INPUT_MAX && !(one_line && ends_line(text))) {
        const ssize_t length = read(STDIN_FILENO, piece, sizeof(piece));

        if (length < 0 && errno == EINTR && !caught)
            continue;
        rc = length < 0 ? -errno : 0;
        if (length <= 0)
            break;
        (void)buf_append(text, piece, (size_t)length);
    }
    wipe(piece, sizeof(piece));
    return rc != 0 ? rc : text->failed;
}

static void cut_line_end(struct buf *text)
{
    if (!ends_line(text))
        return;
    buf_truncate(text, text->length - 1);
    if (text->length > 0 && text->data[text->length - 1] == '\r')
        buf_truncate(text, text->length - 1);
}

enum ctl_exit identify_read_key(struct buf *key)
{
    struct hidden hidden;
    int rc;

    hide(&hidden);
    rc = read_input(key, hidden.is_terminal);
    show(&hidden);
    if (rc != 0)
        return ctl_complain(CTL_USAGE, "standard input cannot be read: %s", strerrordesc_np(-rc));
    cut_line_end(key);
    if (key->length == 0)
        return ctl_complain(CTL_USAGE, "there is no key on standard input");
    if (key->length > KEY_TEXT_MAX)
        return ctl_complain(CTL_USAGE,
                            "standard input has more than a key; identify --scan FILE finds the "
                            "keys in a file");
    return CTL_DONE;
}
