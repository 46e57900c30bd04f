"""Protocols of questions about a clip: one question, or evidence in parts."""
