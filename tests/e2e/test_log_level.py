"""keyrotatectl log-level: more or fewer lines for a time, and then as configured again."""

import json

import pytest

from patience import wait_until

DONE, USAGE = 0, 64


@pytest.fixture
def quiet(site):
    """Level info, and looks that the level debug shows."""
    site.config["log"]["level"] = "info"
    site.policy(rotate_every="30d", overlap="1s", check_every="1s")
    site.account("alpha")
    site.start()
    site.wait_adopted("alpha")
    assert not site.log.lines(level="debug")
    return site


def level(site):
    daemon = json.loads(site.ctl("--json", "status").stdout)["daemon"]
    return daemon["log_level"], daemon["log_level_configured"], daemon["log_level_until"], daemon["log_level_actor"]


def test_it_returns_by_itself(quiet):
    """The command, the lines, the status, and the end, with who it was."""
    assert level(quiet) == ("info", "info", None, None)
    done = quiet.ctl("log-level", "debug", "--for", "5s")
    assert done.returncode == DONE, done
    assert done.stdout.startswith("the log level is debug until 20") and done.stdout.endswith("then info again\n")
    told = quiet.log.wait("operator.command", msg="log-level debug")
    assert told["level"] == "notice" and told["actor"].startswith("uid ") and told["until"]
    quiet.log.wait("rotation.moved", level="debug")
    ended = quiet.log.wait("operator.command", msg="log-level debug is over: the level is info again")
    assert ended["actor"] == told["actor"] and ended["time"] >= told["until"]
    assert level(quiet) == ("info", "info", None, None)
    since = quiet.log.mark()
    for _ in range(2):
        quiet.log.wait("daemon.status", since=since)
        since = quiet.log.mark()
    assert not quiet.log.lines(since, level="debug")
    history = json.loads(quiet.ctl("--json", "history").stdout)["rows"]
    assert history and not [row for row in history if "log" in row["event"]]


def test_a_reload_changes_what_returns(quiet):
    """Until its end the level stays; fewer lines are possible, too, and a command ends it."""
    assert quiet.ctl("log-level", "error").returncode == DONE
    quiet.log.wait("operator.command", msg="log-level error")
    quiet.config["log"]["level"] = "notice"
    quiet.write()
    assert quiet.ctl("reload").returncode == DONE
    now, configured, until, actor = level(quiet)
    assert (now, configured) == ("error", "notice") and until and actor.startswith("uid ")
    shown = quiet.ctl("status").stdout
    assert "\nlog level error until 20" in shown and shown.rstrip().endswith("; then notice"), shown
    assert not quiet.log.lines(event="operator.command", msg="reload"), "it is below the level"
    done = quiet.ctl("log-level", "configured")
    assert (done.returncode, done.stdout) == (DONE, "the log level is notice, as configured\n"), done
    quiet.log.wait("operator.command", msg="log-level configured")
    assert level(quiet) == ("notice", "notice", None, None)
    assert "log level" not in quiet.ctl("status").stdout


def test_a_restart_ends_it(quiet):
    assert quiet.ctl("log-level", "debug", "--for", "1d").returncode == DONE
    assert level(quiet)[0] == "debug"
    assert quiet.daemons[-1].stop() == DONE
    quiet.start()
    wait_until(lambda: level(quiet) == ("info", "info", None, None), "the configured level is back")


def test_refused(quiet):
    for arguments, words in ((["debgu"], "there is no level debgu; did you mean debug?"),
                             (["xyzzy"], "error, warning, notice, info, debug or configured was expected"),
                             (["debug", "--for", "2d"], "a level is changed for a day at most"),
                             ([], "log-level needs a level")):
        done = quiet.ctl("log-level", *arguments)
        assert done.returncode == USAGE and words in done.stderr, done
    assert level(quiet) == ("info", "info", None, None)
