"""Writers of files for other tools, one module per file type."""
