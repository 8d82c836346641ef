"""What the backend remarked, as a .blend keeps it."""

from __future__ import annotations

from extension import part_outside

kept = part_outside("addon.core.remarks").kept


def test_files_are_named_without_their_folders():
    notices = ["No voice is heard in /films/jane/a b/x.wav: it moves no lips.", "/films/jane/p.png is animated."]
    assert kept(notices, ("/films/jane/p.png", "/films/jane/a b/x.wav", "")) == (
        "No voice is heard in x.wav: it moves no lips.\np.png is animated."
    )
