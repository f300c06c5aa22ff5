"""The dashboard as a file; test_prometheus.py asks its queries."""

from dashboard import panels


def cells(panel):
    place = panel["gridPos"]
    return {(x, y) for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])}


def test_the_panels_lie_side_by_side():
    """Within 24 columns, and no two of them at one place."""
    taken = set()
    for panel in panels():
        assert not taken & cells(panel), panel["title"]
        taken |= cells(panel)
    assert max(x for x, _ in taken) == 23
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_each_panel_says_what_it_shows():
    for panel in panels():
        assert panel["title"] and panel["description"].endswith("."), panel["title"]
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
