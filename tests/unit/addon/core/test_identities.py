"""Names of things: of chance in a session, and the same in two runs of a program over the same files."""

from __future__ import annotations

from extension import part_outside

identities = part_outside("addon.core.identities")


def test_names_are_of_chance_in_a_session():
    assert len({identities.new(4) for _ in range(100)}) == 100
    assert len(identities.new(8)) == 16


def test_names_follow_from_the_contents_of_files(tmp_path):
    def drawn(content: bytes, place: str) -> list[str]:
        path = tmp_path / place
        path.write_bytes(content)
        with identities.following_from([path, tmp_path / "missing"]):
            return [identities.new(4), identities.new(8), identities.new(8)]

    first = drawn(b"a", "one")
    assert first == drawn(b"a", "two") and len(set(first)) == 3 and [*map(len, first)] == [8, 16, 16]
    assert not set(first) & set(drawn(b"b", "one"))
    assert identities.new(4) != identities.new(4)
