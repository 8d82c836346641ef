"""Numbers that several modules share, each with its unit. Standard library only."""

# Signal front end (paper, section 3.1; AutoVC's mel).
SAMPLE_RATE = 16_000  # Hz, mono
LOUDNESS = -20.0  # dBFS, RMS of the voiced part after normalisation
MEL_WINDOW = 1024  # samples, Hann
MEL_HOP = 256  # samples: one network frame is 16 ms
MEL_BANDS = 80
MEL_MIN = 90.0  # Hz
MEL_MAX = 7600.0  # Hz
FRAME_RATE = SAMPLE_RATE / MEL_HOP  # 62.5 frames/s, the rate of every network

LANDMARKS = 68  # iBUG-68
EMBEDDING = 256  # Resemblyzer's GE2E speaker embedding
CONTENT_WINDOW = 18  # frames the content branch looks ahead (0.3 s)
CANONICAL_JAW = 1.6  # distance of jaw ends 0 and 16 in the canonical frame

DEVICES = ("auto", "cpu", "cuda", "mps")  # what networks run on: the fastest there is, or one of these
LIP_FEATURES = ("whisper", "autovc")  # what the lips are predicted from: Whisper's encoder, or the paper's own way
#: What is clicked to place a face by hand, in this order; right and left are the person's, so the right eye lies on the
#: left of a picture.
CLICKS = (
    *("middle of the right eye", "middle of the left eye", "tip of the nose"),
    *("right corner of the mouth", "left corner of the mouth", "middle of the mouth", "tip of the chin"),
)
DETECTORS = ("auto", "mediapipe", "face-alignment")  # what finds landmarks
LARGEST_INTEGER = 2**31 - 1  # of seeds, frames and sizes: what Blender's own integers hold
STYLES = ("auto", "cartoon", "photo")  # how frames are drawn: as the picture is, by the mesh alone, by a network

#: The shape keys that turn the eyes, by their ARKit names: of the person's left eye, then of the right one.
GAZE_KEYS = tuple(f"eyeLook{way}{side}" for side in ("Left", "Right") for way in ("In", "Out", "Up", "Down"))

# Limits for files that anybody may have made.
MAX_PORTRAIT_SIDE = 8192  # px of the portrait that the project keeps
MAX_SOURCE_SIDE = 65_535  # px of a picture that is opened at all
MAX_SOURCE_PIXELS = 500_000_000  # px
MAX_DECODED_BYTES = 768 * 2**20  # of a picture while it is decoded: a camera's 200 million pixels in RGBA
MAX_JSON_BYTES = 8 * 2**20
MAX_TOML_BYTES = 2**20
MAX_NPZ_BYTES = 2**30  # sum of the arrays once unpacked: a motion of an hour and a half
MAX_AUDIO_SECONDS = 4 * 3600.0
MIN_AUDIO_SECONDS = 0.1
