"""Figures of a motion from its joints: the benchmark's metrics, figures in metres and seconds, and tremble."""
