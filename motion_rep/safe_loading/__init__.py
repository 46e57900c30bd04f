"""Loading torch, pickle and numpy files without running code from them, and writing torch files without torch."""
