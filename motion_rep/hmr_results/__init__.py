"""What the files of HMR systems have in common: documents, fields, tracks, bodies and cameras."""
