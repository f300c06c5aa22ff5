"""What the data plane of each type says of a new key, and what becomes of it."""

import pytest

from patience import wait_until
from proxy import Proxy
from test_types import ROTATED, add

PROVED = sorted(name for name, verified in ROTATED.items() if verified)


@pytest.fixture
def accounts(site):
    """One of each type whose keys can be proved."""
    site.config["timing"]["verify_timeout"] = "1s"
    return {name: add(site, name) for name in PROVED}


def test_accepted(site, accounts):
    site.policy(verify="required")
    site.start()
    for name, account in accounts.items():
        wait_until(lambda: site.log.lines(event="rotation.completed", account=account.here),
                   f"{name} rotates")
    assert not site.log.lines(event="key.unverified")


def test_refused(site, azure, accounts):
    """The data plane goes on taking the old key: nothing is delivered."""
    azure.settings(propagation_ms=600000)
    site.start()
    for name, account in accounts.items():
        wait_until(lambda: site.status(account.here)["reason"] == "key_refused", f"{name} is blocked")
        assert site.held(account.file) == azure.keys(account.there)["Primary"]
    assert not site.log.lines(event="key.unverified")
    azure.settings(propagation_ms=0)
    for name, account in accounts.items():
        wait_until(lambda: site.log.lines(event="rotation.completed", account=account.here),
                   f"{name} recovers")


@pytest.mark.parametrize("fault", [{"fault": "reset"}, {"fault": "status", "status": 403}])
def test_forbidden_by_the_network(site, azure, accounts, fault):
    """No answer, or one that says nothing about the key: the rotation goes on without it."""
    for face in ("batch", "data"):
        azure.fault(face=face, op="probe", kind=fault["fault"],
                    **{key: value for key, value in fault.items() if key != "fault"})
    site.start()
    for name, account in accounts.items():
        wait_until(lambda: site.log.lines(event="key.unverified", account=account.here),
                   f"{name} goes on")
    assert not site.log.lines(event="account.blocked")


def test_a_service_that_takes_any_key(site, azure):
    """An answer that a wrong key gets as well is no proof."""
    grid = add(site, "event_grid_domain")
    azure.fault(face="data", op="probe", kind="status", status=400)
    site.config["timing"]["verify_timeout"] = "1s"
    site.start()
    unverified = site.log.wait("key.unverified", account=grid.here)
    assert "gives a key that cannot be right the same answer" in unverified["msg"]
    assert not site.log.lines(event="key.verified")


def test_a_cache_behind_a_proxy(site, azure, request):
    """Redis's protocol passes a proxy like every other request."""
    cache = add(site, "redis")
    host = f"{cache.there}.redis.localhost"
    proxy = Proxy(azure.port, elsewhere={host: azure.redis_port})
    request.addfinalizer(proxy.end)
    site.config["proxy"] = proxy.url
    site.policy(verify="required")
    site.start()
    assert site.log.wait("key.verified", account=cache.here)
    assert f"{host}:{azure.redis_port}" in proxy.asked
