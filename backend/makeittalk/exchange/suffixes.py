"""How files are named that can be a portrait or a speech. Standard library only."""

#: Pictures that `images/decoding.py` opens.
PORTRAIT = tuple(
    ".apng .avif .avifs .bmp .exr .gif .hdr .heic .heics .heif .heifs .hif .icb .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg "
    ".jpf .jpg .jpx .mpo .pbm .pfm .pgm .png .pnm .ppm .psd .tga .tif .tiff .vda .vst .webp".split()
)
#: Recordings and films that libsndfile or FFmpeg open.
SPEECH = tuple(
    ".3gp .aac .ac3 .aif .aiff .amr .au .avi .caf .eac3 .flac .flv .m2ts .m4a .m4v .mka .mkv .mov .mp2 .mp3 .mp4 .mpeg "
    ".mpg .mts .oga .ogg .ogv .opus .rf64 .snd .ts .vob .w64 .wav .webm .wma .wmv".split()
)


def is_portrait(path: str) -> bool:
    """Whether a file is named as a picture is."""
    return path.lower().endswith(PORTRAIT)


def is_speech(path: str) -> bool:
    """Whether a file is named as a recording or a film is."""
    return path.lower().endswith(SPEECH)
