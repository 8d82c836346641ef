"""Arrays in, Blender data out."""
