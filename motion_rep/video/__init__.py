"""Read and write video with PyAV (FFmpeg's libraries)."""
