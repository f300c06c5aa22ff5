"""What the demo prints."""

import importlib.util
import io
import pathlib
import sys
import threading
import time

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "demo.py"


class SlowScreen(io.StringIO):
    """Other threads run between any two pieces."""

    def write(self, text):
        time.sleep(0.001)
        return super().write(text)


def test_lines_of_several_speakers_stay_whole(monkeypatch):
    spec = importlib.util.spec_from_file_location("demo", PROGRAM)
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    screen = SlowScreen()
    monkeypatch.setattr(sys, "stdout", screen)
    speakers = [threading.Thread(target=lambda name=name: [demo.say(name, "says so")
                                                           for _ in range(20)])
                for name in ("one", "two", "three")]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join()
    lines = screen.getvalue().splitlines()
    assert len(lines) == 60 and all(line.endswith("says so") for line in lines)
