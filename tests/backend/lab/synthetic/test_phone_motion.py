"""Motion that is learned from phones."""

import numpy as np
import torch
from made_clips import talking
from makeittalk_lab.data.phones import PHONES
from makeittalk_lab.evaluation import metrics
from makeittalk_lab.synthetic.phone_motion import learn_phone_motion

torch.set_num_threads(1)


def test_motion_is_learnt_from_phones():
    """A mouth that opens on AA and shuts on B, heard nowhere: phones alone must move it."""
    clips, tracks = [], []
    for seed in range(12):
        clip = talking(seed)
        opened = metrics.opening(clip.landmarks) > metrics.opening(clip.neutral[None]) + 3
        tracks.append(np.where(opened, PHONES.index("AA"), PHONES.index("B")))
        clips.append(clip)
    mouth = learn_phone_motion(clips[1:], tracks[1:], steps=40)
    with torch.inference_mode():
        moved = mouth.network(torch.from_numpy(tracks[0])[None])[0].numpy()
    found = metrics.opening(mouth.face + moved)
    assert np.corrcoef(found, metrics.opening(clips[0].landmarks))[0, 1] > 0.9
