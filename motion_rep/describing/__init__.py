"""Describe a motion from its joints: body signals, cycles, actions, facts, sentences, contradictions with a text."""
