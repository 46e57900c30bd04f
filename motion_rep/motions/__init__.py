"""The 276-dim motion: columns, encoding, file, figure."""
