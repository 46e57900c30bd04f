"""Figures of a motion from its joints: the benchmark's metrics, and figures in metres and seconds, tremble."""
