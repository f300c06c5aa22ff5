"""Waiting for something to become true, on machines of any speed."""

import os
import time

# Instrumented programs on a slow machine need longer. A long patience costs nothing where
# conditions are met early.
TIMEOUT = float(os.environ.get("E2E_TIMEOUT", "45"))
LONG = os.environ.get("E2E_LONG", "") not in ("", "0")


def wait_until(condition, what, timeout=TIMEOUT, pause=0.03):
    """Returns the first true value of `condition`; fails, saying `what` did not happen."""
    timeout = max(timeout, TIMEOUT)
    started = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - started
        if waited >= timeout:
            raise AssertionError(f"waited {timeout:g} s in vain until {what}")
        # Whoever asks all the time takes the processor from those that are waited for.
        time.sleep(max(pause, min(waited / 20, 0.3)))


def stays_true(condition, seconds, what, pause=0.05):
    """Fails as soon as `condition` is false within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"it did not last that {what}"
        time.sleep(pause)


def seconds(default, in_full):
    """How long a campaign runs: shortened, or in full length with E2E_LONG=1."""
    return in_full if LONG else default
