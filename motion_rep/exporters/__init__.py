"""One file per kind of file that other tools open."""
