"""Memory runs out under the daemon: it ends, says so, and the next start goes on."""

import pytest

from daemon import EXIT_INTERNAL, EXIT_OK
from patience import wait_until


def test_out_of_memory_ends_the_daemon_and_the_next_start_goes_on(site, azure):
    library = site.build / "no_memory.so"
    if "asan" in site.build.name:
        pytest.skip("the sanitizer has a calloc() of its own")
    site.account("alpha")
    site.account("bravo")
    site.stops_at_once = True
    refuse = site.directory / "no-memory"
    daemon = site.start(environment={"LD_PRELOAD": str(library), "NO_MEMORY_ONCE": str(refuse)})
    consumer = site.consumer("alpha", "bravo")
    for name in ("alpha", "bravo"):
        site.wait_rotations(name, 1)

    mark = site.log.mark()
    # Without memory in base/ a request fails, and is repeated: the daemon continues.
    wait_until(lambda: refuse.touch() or not daemon.is_running(), "the daemon has ended")
    assert daemon.process.returncode == EXIT_INTERNAL
    refuse.unlink(missing_ok=True)
    [said] = site.log.lines(mark, event="daemon.stopping")
    assert said["level"] == "error" and "out of memory" in said["msg"], said

    mark = site.log.mark()
    daemon = site.start()
    for name in ("alpha", "bravo"):
        site.wait_rotations(name, 2, since=mark)
    assert daemon.stop() == EXIT_OK
    site.verdict(consumer)
