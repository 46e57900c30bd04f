"""Lit videos and eval files of motions."""
