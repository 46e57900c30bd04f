"""Video of one person to SMPL-X parameters on a CPU, for previews: landmark networks, tracking, and a fit of the body to landmarks.

Files, each may import those above it: weights, landmarks, networks, tracking, lifting, markers, adam, body_fit, chunks, video_capture.
"""
