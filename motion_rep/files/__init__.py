"""Reading and writing files, paths and remote locations."""
