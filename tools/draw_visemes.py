"""Draws what the mouth does on kinds of phones: `.venv/bin/python tools/draw_visemes.py PORTRAIT docs/visemes.jpg`.

A row for each kind (lips shut, teeth on the lip, rounded, open, spread), a picture for each of its phones in the
embedded recording: the frame in the middle of the phone, with the phone and the word it is in.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from makeittalk.landmarks.face_mesh import find_faces
from makeittalk.landmarks.film import film_frames
from PIL import Image, ImageDraw

ASSETS = Path(__file__).resolve().parent.parent / "backend" / "makeittalk" / "assets"
FPS = 25.0
SIDE = 220  # px of one picture
PICTURES = 7  # in a row
KINDS = {
    "P B M": ("P", "B", "M"),
    "F V": ("F", "V"),
    "U O W": ("UW", "UH", "OW", "W"),
    "A": ("AA", "AE", "AW", "AY", "AO"),
    "I": ("IY", "IH", "EY"),
}


def phones() -> list[tuple[float, float, str, str]]:
    """Start and end in seconds, phone and word of the embedded recording."""
    with open(ASSETS / "speech.phones.csv", encoding="utf-8", newline="") as stream:
        return [(float(r["start"]), float(r["end"]), r["phone"], r["word"]) for r in csv.DictReader(stream)]


def mouth(frame: np.ndarray, box: tuple[int, int, int]) -> np.ndarray:
    """The square around the mouth, (SIDE, SIDE, 3)."""
    x, y, half = box
    return cv2.resize(frame[y - half : y + half, x - half : x + half], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def main() -> None:
    """Animates the portrait, takes the frames out of the film and pastes the sheet."""
    portrait, target = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        command = [sys.executable, "-m", "makeittalk", "animate", str(portrait), str(ASSETS / "speech.flac")]
        subprocess.run([*command, "-o", str(film), "--fps", f"{FPS:g}"], check=True)
        frames = [frame.rgb for frame in film_frames(film)]
    face = find_faces(frames[0])[0].landmarks
    centre, width = face[48:68, :2].mean(0), float(np.ptp(face[:17, 0]))
    box = (int(centre[0]), int(centre[1]), int(0.33 * width))
    sheet = Image.new("RGB", (PICTURES * SIDE, len(KINDS) * (SIDE + 18)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (kind, names) in enumerate(KINDS.items()):
        said = [phone for phone in phones() if phone[2] in names]
        step = max(1, len(said) // PICTURES)
        for column, (start, end, phone, word) in enumerate(said[::step][:PICTURES]):
            frame = frames[min(len(frames) - 1, round((start + end) / 2 * FPS))]
            sheet.paste(Image.fromarray(mouth(frame, box)), (column * SIDE, row * (SIDE + 18) + 18))
            draw.text((column * SIDE + 4, row * (SIDE + 18) + 3), f"{kind}:  {phone} in {word}", fill="black")
    sheet.save(target, quality=88)


if __name__ == "__main__":
    main()
