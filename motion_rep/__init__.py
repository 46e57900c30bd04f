"""Reference motions: HMR captures to the 276-dim representation, checked and drawn. See README.md for the table of files."""
